// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "disk.hpp"

#include <leveldb/env.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace keywatch::storage {

/// The directory that this one, or this file, is in.
std::string parent_of(std::string path);

/// The directory that a database lives in, told from others by a marker file, which is locked for
/// as long as this object lives.
///
/// The constructor finds out whether a database is or can be here before it changes anything: at
/// most it makes the directory and the marker. What it and LevelDB do from then on, rollback()
/// undoes: LevelDB only adds files and points CURRENT to them, as long as removals are held.
class Directory {
public:
    struct Place {
        std::string path;
        leveldb::Env* env;
        Disk* disk;  ///< may be null
        /// Whether it is the operating system's, so that permissions can be looked at and the
        /// marker be locked. Otherwise only `env` is used, and nothing is locked.
        bool real;
    };

    Directory(Place place, bool create_if_missing);
    ~Directory();
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    /// Size of the logs that were there: as much as LevelDB can have left out of them. Those that
    /// an open which was cut short had replayed are still there, and count.
    std::uint64_t log_bytes() const noexcept { return log_bytes_before_; }

    /// Makes it as it was before. LevelDB must be closed.
    void rollback() noexcept;

private:
    std::string file(std::string_view name) const { return place_.path + "/" + std::string(name); }
    bool exists() const;
    std::set<std::string> children() const;
    bool is_marked() const;
    bool check_marker() const;
    void check_writable(const std::set<std::string>& names) const;
    void make();
    void make_directory();
    void write_marker();
    void publish_marker(const std::string& temporary);
    void lock();
    void unlock() noexcept;
    void sync_directory(const std::string& directory) const;
    void remember(bool create_if_missing);
    void restore_current();
    void remove_new_files();

    Place place_;
    int lock_ = -1;
    bool made_directory_ = false;
    bool made_marker_ = false;
    std::set<std::string> before_;
    std::uint64_t log_bytes_before_ = 0;
    std::optional<std::string> current_before_;
};

}  // namespace keywatch::storage
