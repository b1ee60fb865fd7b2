// SPDX-License-Identifier: BSL-1.0
// The limit of closing, for event loops that are blocked or stopped.
#include "pipeline.hpp"
#include "watcher_core.hpp"

#include "async/post.hpp"

#include <keywatch/error.hpp>

#include <utility>

namespace keywatch::pipeline {

namespace {

/// So long the event loop of the database may take for one turn once the limit has been reached.
constexpr std::chrono::milliseconds longest_turn{1'000};

}  // namespace

void Pipeline::limit_closing(std::chrono::milliseconds timeout)
{
    engine_->call_after(timeout, [weak = weak_from_this()] {
        // Without memory the closing may not have begun.
        if (const auto self = weak.lock(); self && self->closing()) {
            self->engine_->give_up_doubtful();
            self->look_after_loop();
        }
    });
}

/// The strand closes, with timers of its own. On a thread of the engine this sees whether it runs.
void Pipeline::look_after_loop()
{
    const auto ran = std::make_shared<std::atomic<bool>>(false);
    async::post(strand_, [ran] { ran->store(true); });
    engine_->call_after(longest_turn, [weak = weak_from_this(), ran] {
        const auto self = weak.lock();
        if (!self) {
            return;
        }
        if (ran->load()) {
            self->look_after_loop();
        } else {
            self->close_without_loop();
        }
    });
}

void Pipeline::close_without_loop()
{
    drained_ = true;  // commits are refused from now on
    for (const auto& watcher : registry_.all()) {
        watcher->database_closed();  // if it was never run
        watcher->close_now();        // those on other event loops end there
    }
    engine_->close_without_loop([self = shared_from_this()] {
        self->tell_closed(std::make_exception_ptr(
            boost::system::system_error(make_error_code(Error::close_timeout))));
    });
}

void Pipeline::tell_closed(std::exception_ptr result)
{
    if (!told_closed_.exchange(true)) {
        closed_->close(std::move(result));
    }
}

}  // namespace keywatch::pipeline
