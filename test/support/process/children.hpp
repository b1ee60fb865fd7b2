// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace keywatch::test {

/// Runs in a process of its own, and returns its exit status, below 100.
using ChildMain = std::function<int()>;

/// The end of a forked process.
struct ChildEnd {
    std::uint64_t number = 0;
    /// Its exit status; -1 if a signal has ended it.
    int status = -1;
    /// The signal that has ended it, or 0.
    int signal = 0;
    /// Everything that it wrote to its error output.
    std::string text;
};

/// Forks processes, some at a time, and collects their ends. For a program that has no other
/// thread.
class Children {
public:
    Children();
    Children(const Children&) = delete;
    Children& operator=(const Children&) = delete;
    ~Children();

    /// Starts a process, once there is room for it.
    void start(std::uint64_t number, const ChildMain& main);

    /// Returns the processes that have ended since the last call. Waits until there is room for one
    /// more, or, with `all`, until all have ended.
    std::vector<ChildEnd> ended(bool all);

private:
    struct Child;

    bool has_room() const;
    void listen(std::chrono::milliseconds time);

    std::vector<Child> running_;
    std::vector<ChildEnd> ended_;
};

}  // namespace keywatch::test
