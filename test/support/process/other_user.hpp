// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace keywatch::test {

/// A user without rights.
inline constexpr uid_t nobody = 65534;

/// Only root can become somebody else.
inline bool can_become_others()
{
    return ::geteuid() == 0;
}

/// Runs in a process of that user; returns whether `check` said so there.
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
