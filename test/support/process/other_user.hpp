// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace keywatch::test {

/// A user without privileges.
inline constexpr uid_t nobody = 65534;

/// Returns true if this process may become another user, which only root may.
inline bool can_become_others()
{
    return ::geteuid() == 0;
}

/// Runs `check` in a process of that user. Returns true if `check` returned true.
inline bool as_user(uid_t user, const std::function<bool()>& check)
{
    const pid_t child = ::fork();
    if (child == 0) {
        bool passed = ::setgid(user) == 0 && ::setuid(user) == 0;
        try {
            passed = passed && check();
        } catch (...) {
            passed = false;
        }
        ::_exit(passed ? 0 : 1);
    }
    int status = 0;
    return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

inline bool as_nobody(const std::function<bool()>& check)
{
    return as_user(nobody, check);
}

}  // namespace keywatch::test
