// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "disk.hpp"
#include "disk_env.hpp"

#include <keywatch/error.hpp>

#include <leveldb/env.h>

#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace keywatch::storage {

/// The location of a database or a backup, and the means to access it.
struct Location {
    std::string path;
    leveldb::Env* env;
    Disk* disk;  ///< may be null
    /// Equal to `env` if the location is the operating system's, so that permissions can be checked
    /// and files locked. Otherwise null: only `env` is used, and nothing is locked.
    std::shared_ptr<DiskEnv> files;

    std::string file(std::string_view name) const { return path + "/" + std::string(name); }
};

/// Returns a location in the file system or, for tests, in `base`, which is not owned. Throws
/// `refused` if a relative path cannot be made absolute.
Location find_location(const std::string& path, leveldb::Env* base, Error refused);

/// Returns the absolute form of a path, which does not depend on the process's working directory.
/// Throws `refused` if there is none.
std::string absolute_path(const std::string& path, Error refused);

/// Returns the directory that contains this file or directory.
std::string parent_of(std::string path);

// Steps of opening. They throw like fail_open.

/// Returns the names in the location, without `.` and `..`.
std::set<std::string> children_of(const Location& location);
void sync_directory(const Location& location);
/// Reads a file that contains a line of text. If it is much longer than that, throws `damaged` and
/// does not read it.
std::string read_small_file(leveldb::Env& env, const std::string& name);
void write_synced(leveldb::Env& env, const std::string& name, const std::string& text);

}  // namespace keywatch::storage
