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

/// A function that runs in its own process and returns its exit status, below 100.
using ChildMain = std::function<int()>;

/// The end of a forked process.
struct ChildEnd {
    std::uint64_t number = 0;
    /// The exit status; -1 if a signal has ended the process.
    int status = -1;
    /// The signal that has ended the process, or 0.
    int signal = 0;
    /// Everything that the process wrote to its error output.
    std::string text;
};

/// Forks processes, several at a time, and collects their ends. For programs without other threads.
class Children {
public:
    Children();
    Children(const Children&) = delete;
    Children& operator=(const Children&) = delete;
    ~Children();

    /// Starts a process when there is room for it.
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
