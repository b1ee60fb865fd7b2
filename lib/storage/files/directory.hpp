// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "descriptor.hpp"
#include "location.hpp"
#include "trial.hpp"

#include <cstdint>
#include <set>
#include <string>

namespace keywatch::storage {

/// The directory of a database. A marker file identifies it and is locked for the lifetime of this
/// object.
///
/// The constructor checks whether the directory is, or can become, a database before it changes
/// anything; at most, it creates the directory and the marker. rollback() undoes these changes and
/// those that LevelDB makes afterwards. keep() makes them permanent. A directory that is only read
/// is not changed at all.
class Directory {
public:
    enum class Use {
        create,  ///< creates the database if necessary, and writes
        write,
        read,  ///< shares the directory with other readers
    };

    Directory(Location location, Use use);
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    /// Returns the size of the logs that existed before the open, an upper limit of what LevelDB
    /// can have skipped in them. Logs that an interrupted open has already replayed still exist and
    /// are included.
    std::uint64_t log_bytes() const noexcept { return log_bytes_before_; }
    /// Returns the size of all data files that existed before the open.
    std::uint64_t data_bytes() const noexcept { return data_bytes_before_; }

    /// Restores the previous state of the directory. LevelDB must be closed.
    void rollback() noexcept;
    /// Makes the changes permanent after a successful open.
    void keep() const noexcept { trial_.end(); }

    /// Throws `storage_failed` if the location no longer leads to this directory.
    void check_location() const;

private:
    std::string file(std::string_view name) const { return location_.file(name); }
    bool find();
    bool is_marked() const;
    bool check_marker() const;
    void check_usable(const std::set<std::string>& names) const;
    void check_owner() const;
    void check_kinds(const std::set<std::string>& names) const;
    void hold();
    void make();
    void make_directory();
    void write_marker();
    void publish_marker(const std::string& temporary);
    void lock();
    void check_creation(const std::set<std::string>& names) const;
    void remember();

    const Location location_;
    const Use use_;
    Descriptor lock_;
    Trial trial_{location_};
    bool made_directory_ = false;
    bool made_marker_ = false;
    std::uint64_t log_bytes_before_ = 0;
    std::uint64_t data_bytes_before_ = 0;
};

}  // namespace keywatch::storage
