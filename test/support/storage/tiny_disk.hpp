// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/storage/temporary_directory.hpp"

#include <sched.h>
#include <sys/mount.h>

#include <cstdint>
#include <string>

namespace keywatch::test {

/// Makes the mounts of this process invisible to other processes, if the system allows that. To be
/// used as a global fixture: threads that already run are not affected.
struct OwnMounts {
    inline static bool allowed = false;

    OwnMounts()
    {
        allowed = ::unshare(CLONE_NEWNS) == 0 &&
                  ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    }
};

/// A file system of its own with this little space. Requires OwnMounts.
class TinyDisk {
public:
    explicit TinyDisk(std::uint64_t bytes)
    {
        const std::string size = "size=" + std::to_string(bytes);
        mounted_ =
            OwnMounts::allowed && ::mount("tmpfs", path().c_str(), "tmpfs", 0, size.c_str()) == 0;
    }
    TinyDisk(const TinyDisk&) = delete;
    TinyDisk& operator=(const TinyDisk&) = delete;
    ~TinyDisk()
    {
        if (mounted_) {
            ::umount2(path().c_str(), MNT_DETACH);
        }
    }

    bool mounted() const { return mounted_; }
    std::string path() const { return directory_.path().string(); }
    std::string operator/(const std::string& name) const { return directory_ / name; }

private:
    TemporaryDirectory directory_;
    bool mounted_ = false;
};

}  // namespace keywatch::test
