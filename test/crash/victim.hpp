// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace keywatch::test {

/// The descriptor to which the child writes the revisions that were acknowledged, eight bytes each.
inline constexpr int pipe_of_child = 3;

/// Another process of this program: starts it, reads its reports, and kills it.
class Victim {
public:
    using Clock = std::chrono::steady_clock;

    /// `variable`: added to its environment, as `name=value`.
    explicit Victim(const std::string& variable)
    {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) {
            throw std::runtime_error("no pipe");
        }
        pipe_ = ends[0];
        std::vector<std::string> variables{variable};
        for (char** each = environ; *each != nullptr; ++each) {
            if (!std::string_view(*each).starts_with("KEYWATCH_TAP=")) {
                variables.emplace_back(*each);
            }
        }
        start(ends[1], variables);
        ::close(ends[1]);
    }
    Victim(const Victim&) = delete;
    Victim& operator=(const Victim&) = delete;
    ~Victim() { ::close(pipe_); }

    /// Reads reports until then, or until the child has ended.
    void listen(Clock::time_point until)
    {
        for (;;) {
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
            pollfd ready{pipe_, POLLIN, 0};
            if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) <= 0 || !take()) {
                return;
            }
        }
    }
    void listen_for_one(Clock::time_point until)
    {
        while (acknowledged_ == 0 && Clock::now() < until) {
            listen(std::min(until, Clock::now() + std::chrono::milliseconds(1)));
        }
    }

    /// Returns true if the child was alive.
    bool kill()
    {
        ::kill(process_, SIGKILL);
        int status = 0;
        ::waitpid(process_, &status, 0);
        while (take()) {
        }
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    }

    Revision acknowledged() const { return acknowledged_; }

private:
    void start(int end, const std::vector<std::string>& variables)
    {
        std::vector<char*> environment;
        for (const std::string& each : variables) {
            environment.push_back(const_cast<char*>(each.c_str()));
        }
        environment.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, end, pipe_of_child);
        std::string name = "child";
        char* arguments[] = {name.data(), nullptr};
        const int error = ::posix_spawn(&process_, "/proc/self/exe", &actions, nullptr, arguments,
                                        environment.data());
        ::posix_spawn_file_actions_destroy(&actions);
        if (error != 0) {
            throw std::runtime_error("cannot start the child");
        }
    }

    bool take()
    {
        Revision revisions[256];
        const ssize_t size = ::read(pipe_, revisions, sizeof revisions);
        for (ssize_t i = 0; i < size / static_cast<ssize_t>(sizeof(Revision)); ++i) {
            acknowledged_ = std::max(acknowledged_, revisions[i]);
        }
        return size > 0;
    }

    pid_t process_ = 0;
    int pipe_ = -1;
    Revision acknowledged_ = 0;
};

}  // namespace keywatch::test
