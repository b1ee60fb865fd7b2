// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "descriptor.hpp"

#include "values/mutex.hpp"

#include <leveldb/status.h>

#include <dirent.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch::storage {

/// An opened file, or the reason why it was not opened.
struct OpenedFile {
    Descriptor file;
    leveldb::Status status;
};

/// Returns the status of a system call that has just failed: `errno` in words.
leveldb::Status last_error(const std::string& name);

/// A directory that is held open. Its files are reached through it, not by its name, so they stay
/// the same files if it is moved or another directory takes its place.
///
/// A file is accepted only if it is a regular file (no symbolic link, no device, nothing that an
/// open could block on) and belongs to this user, to root, or to the owner of the directory. Root
/// accepts files of any user. A file that root creates belongs to the owner of the directory;
/// otherwise the owner could not use it.
///
/// Thread safety: all members, from any thread.
class HeldDirectory {
public:
    struct Opened {
        std::unique_ptr<HeldDirectory> directory;
        leveldb::Status status;
    };
    static Opened open(const std::string& path);

    /// Returns true if this is the path of a file in this directory.
    bool has(std::string_view path) const noexcept;
    /// Returns the name of such a file in the directory.
    static std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

    /// Returns the descriptor for system calls that take a directory and a name in it.
    int descriptor() const noexcept { return ::dirfd(stream_.get()); }
    uid_t owner() const noexcept { return owner_; }
    /// Returns true if the owner can be trusted with this user's data: the owner is this user or
    /// root, or this user is root.
    bool owner_is_trusted() const noexcept;

    /// Opens a file by its path. New files can be used by their owner only.
    OpenedFile open_file(const std::string& path, int flags) const;
    /// Lists the names in the directory, without `.` and `..`. Opens no descriptor.
    leveldb::Status list(std::vector<std::string>* names) const;
    /// Returns an error if the path no longer leads to this directory.
    leveldb::Status check_location() const;

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
    mutable Mutex listing_;  ///< guards the position of stream_
};

}  // namespace keywatch::storage
