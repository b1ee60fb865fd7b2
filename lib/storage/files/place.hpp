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

/// Where a database or a backup is, and by what it is reached there.
struct Place {
    std::string path;
    leveldb::Env* env;
    Disk* disk;  ///< may be null
    /// What `env` is if the place is the operating system's, so that permissions can be looked at
    /// and files be locked. Otherwise null: only `env` is used, and nothing is locked.
    std::shared_ptr<DiskEnv> files;

    std::string file(std::string_view name) const { return path + "/" + std::string(name); }
};

/// A place in the file system; or, for tests, in `base`, which is not owned. `refused`: the error
/// if a relative path cannot be made absolute.
Place find_place(const std::string& path, leveldb::Env* base, Error refused);

/// The same path, but independent of the process's directory from now on.
std::string absolute_path(const std::string& path, Error refused);

/// The directory that this one, or this file, is in.
std::string parent_of(std::string path);

// Steps of opening: they throw as fail_open does.

/// The names in the place, without `.` and `..`.
std::set<std::string> children_of(const Place& place);
void sync_directory(const Place& place);
/// Reads a file that has a line of text. One that is much longer is `damaged`, and not read.
std::string read_small_file(leveldb::Env& env, const std::string& name);
void write_synced(leveldb::Env& env, const std::string& name, const std::string& text);

}  // namespace keywatch::storage
