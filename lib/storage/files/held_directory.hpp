// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "descriptor.hpp"

#include <leveldb/status.h>

#include <dirent.h>
#include <sys/types.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch::storage {

/// A file that was opened, or why it was not.
struct OpenedFile {
    Descriptor file;
    leveldb::Status status;
};

/// The status of an operation of the system that has just failed: `errno` in words.
leveldb::Status last_error(const std::string& name);

/// A directory that is held open. Its files are reached through it, not by its name, so they stay
/// the same ones if it is moved or if another directory takes its place.
///
/// Each file is believed only if it is a regular one (no symbolic link, no device, nothing that an
/// open could wait for) and belongs to this user, to root, or to the owner of the directory. A file
/// that root makes belongs to the owner of the directory, who could not use it otherwise.
///
/// Thread safety: all members, from any thread.
class HeldDirectory {
public:
    struct Opened {
        std::unique_ptr<HeldDirectory> directory;
        leveldb::Status status;
    };
    static Opened open(const std::string& path);

    /// Whether this is a path of a file in this directory.
    bool has(std::string_view path) const noexcept;
    /// The name of such a file in the directory.
    static std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

    /// For the calls of the system that take a directory and a name in it.
    int descriptor() const noexcept { return ::dirfd(stream_.get()); }
    uid_t owner() const noexcept { return owner_; }
    /// Whether the owner can be trusted with this user's data: it is this user, or root; or this
    /// user is root.
    bool owner_is_trusted() const noexcept;

    /// Opens a file by its path. New files can be used by their owner only.
    OpenedFile open_file(const std::string& path, int flags) const;
    /// Gives the names in the directory, without `.` and `..`. Needs no descriptor.
    leveldb::Status list(std::vector<std::string>* names) const;
    /// Whether the directory is still the one that its path leads to.
    leveldb::Status check_place() const;

private:
    struct Close {
        void operator()(DIR* stream) const noexcept { ::closedir(stream); }
    };

    HeldDirectory(std::string path, DIR* stream, uid_t owner, gid_t group);
    int open_or_make(const std::string& name, int flags) const;
    leveldb::Status check_file(const std::string& path, int file) const;

    const std::string path_;
    const std::unique_ptr<DIR, Close> stream_;
    const uid_t owner_;
    const gid_t group_;
    mutable std::mutex listing_;  ///< of the position of stream_
};

}  // namespace keywatch::storage
