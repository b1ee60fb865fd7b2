// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "descriptor.hpp"
#include "place.hpp"
#include "trial.hpp"

#include <cstdint>
#include <set>
#include <string>

namespace keywatch::storage {

/// The directory that a database lives in, told from others by a marker file, which is locked for
/// as long as this object lives.
///
/// The constructor finds out whether a database is or can be here before it changes anything: at
/// most it makes the directory and the marker. What it and LevelDB do from then on, rollback()
/// undoes; keep() ends that. If it is only to be read, nothing is changed at all.
class Directory {
public:
    enum class Use {
        create,  ///< and write
        write,
        read,  ///< beside others that read
    };

    Directory(Place place, Use use);
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    /// Size of the logs that were there: as much as LevelDB can have left out of them. Those that
    /// an open which was cut short had replayed are still there, and count.
    std::uint64_t log_bytes() const noexcept { return log_bytes_before_; }
    /// The same of all data.
    std::uint64_t data_bytes() const noexcept { return data_bytes_before_; }

    /// Makes it as it was before. LevelDB must be closed.
    void rollback() noexcept;
    /// The open has succeeded.
    void keep() const noexcept { trial_.end(); }

    /// `storage_failed` if the location does not lead to this directory any more.
    void check_place() const;

private:
    std::string file(std::string_view name) const { return place_.file(name); }
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

    const Place place_;
    const Use use_;
    Descriptor lock_;
    Trial trial_{place_};
    bool made_directory_ = false;
    bool made_marker_ = false;
    std::uint64_t log_bytes_before_ = 0;
    std::uint64_t data_bytes_before_ = 0;
};

}  // namespace keywatch::storage
