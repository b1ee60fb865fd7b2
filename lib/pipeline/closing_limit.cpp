// SPDX-License-Identifier: BSL-1.0
// Limits the time of closing, even if event loops are blocked or stopped.
#include "pipeline.hpp"
#include "watcher_core.hpp"

#include "async/post.hpp"

#include <keywatch/error.hpp>

#include <utility>

namespace keywatch::pipeline {

namespace {

/// The time that the event loop of the database may take for one turn once the limit has been
/// reached.
constexpr std::chrono::milliseconds longest_turn{1'000};

}  // namespace

void Pipeline::limit_closing(std::chrono::milliseconds timeout)
{
    engine_->call_after(timeout, [weak = weak_from_this()] {
        // If there was no memory to begin closing, closing() is false.
        if (const auto self = weak.lock(); self && self->closing()) {
            self->engine_->give_up_doubtful();
            self->look_after_loop();
        }
    });
}

/// Checks, on a thread of the engine, whether the strand still has turns: closing runs there, with
/// timers of its own. If the strand has no turn within `longest_turn`, closes without it.
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
        watcher->database_closed();  // ends it if it was never run
        watcher->close_now();        // ends it if it runs on another event loop
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
