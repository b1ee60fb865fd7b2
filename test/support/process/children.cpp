// SPDX-License-Identifier: BSL-1.0
#include "children.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace keywatch::test {

namespace {

using Clock = std::chrono::steady_clock;

/// A process that runs longer than this is taken to be waiting, so that others may run
/// concurrently.
constexpr std::chrono::milliseconds usual{300};
/// The largest number of processes, running or waiting.
constexpr std::size_t most = 200;

std::size_t processors()
{
    return std::max(std::thread::hardware_concurrency(), 1U);
}

[[noreturn]] void be_child(int end, const ChildMain& main)
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::dup2(end, STDERR_FILENO);
    ::_exit(main());
}

}  // namespace

struct Children::Child {
    pid_t process = 0;
    int pipe = -1;
    Clock::time_point started;
    ChildEnd end;
};

Children::Children() = default;

Children::~Children()
{
    for (const Child& each : running_) {
        ::kill(each.process, SIGKILL);
        ::waitpid(each.process, nullptr, 0);
        ::close(each.pipe);
    }
}

bool Children::has_room() const
{
    const auto busy = std::ranges::count_if(
        running_, [](const Child& each) { return Clock::now() - each.started < usual; });
    return static_cast<std::size_t>(busy) < processors() && running_.size() < most;
}

void Children::start(std::uint64_t number, const ChildMain& main)
{
    while (!has_room()) {
        listen(usual);
    }
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        throw std::runtime_error("no pipe");
    }
    const pid_t process = ::fork();
    if (process == 0) {
        be_child(ends[1], main);
    }
    ::close(ends[1]);
    if (process < 0) {
        ::close(ends[0]);
        throw std::runtime_error("no process");
    }
    running_.push_back({process, ends[0], Clock::now(), {}});
    running_.back().end.number = number;
}

/// Reads what the processes write, for at most that time, and notes which of them have ended.
void Children::listen(std::chrono::milliseconds time)
{
    std::vector<pollfd> ready;
    ready.reserve(running_.size());
    for (const Child& each : running_) {
        ready.push_back({each.pipe, POLLIN, 0});
    }
    if (::poll(ready.data(), ready.size(), static_cast<int>(time.count())) <= 0) {
        return;
    }
    for (std::size_t i = ready.size(); i-- > 0;) {
        if (ready[i].revents == 0) {
            continue;
        }
        Child& child = running_[i];
        char bytes[4096];
        const ssize_t size = ::read(child.pipe, bytes, sizeof bytes);
        if (size > 0) {
            child.end.text.append(bytes, static_cast<std::size_t>(size));
            continue;
        }
        ::close(child.pipe);
        int status = 0;
        ::waitpid(child.process, &status, 0);
        child.end.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        child.end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        ended_.push_back(std::move(child.end));
        running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    }
}

std::vector<ChildEnd> Children::ended(bool all)
{
    while (all ? !running_.empty() : !has_room()) {
        listen(usual);
    }
    return std::exchange(ended_, {});
}

}  // namespace keywatch::test
