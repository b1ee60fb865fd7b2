// SPDX-License-Identifier: BSL-1.0
// Limits the time of closing, even if event loops are blocked or stopped.
#include "shutdown.hpp"

#include "async/post.hpp"
#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <utility>

namespace keywatch::pipeline {

namespace {

/// The time that the event loop of the database may take for one turn once the limit has been
/// reached.
constexpr std::chrono::milliseconds longest_turn{1'000};

}  // namespace

void Shutdown::limit(std::chrono::milliseconds timeout)
{
    engine_.call_after(timeout, [owner = strand_.owner(), this] {
        const auto self = PipelineStrand::lock(owner, this);
        // If there was no memory to begin closing, has_begun() is false.
        if (self && self->has_begun()) {
            self->engine_.give_up_doubtful();
            self->look_after_loop();
        }
    });
}

/// Checks, on a thread of the engine, whether the strand still has turns: closing runs there, with
/// timers of its own. If the strand has no turn within `longest_turn`, closes without it.
void Shutdown::look_after_loop()
{
    const auto ran = std::make_shared<std::atomic<bool>>(false);
    async::post(strand_.executor(), [ran] { ran->store(true); });
    engine_.call_after(longest_turn, [owner = strand_.owner(), this, ran] {
        const auto self = PipelineStrand::lock(owner, this);
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

void Shutdown::close_without_loop()
{
    drained_ = true;  // commits are refused from now on
    for (const auto& watcher : registry_.all()) {
        watcher->database_closed();  // ends it if it was never run
        watcher->close_now();        // ends it if it runs on another event loop
    }
    engine_.close_without_loop(
        [self = strand_.share(this)] { self->tell_closed(exception_of(Error::close_timeout)); });
}

void Shutdown::tell_closed(std::exception_ptr result)
{
    if (!told_closed_.exchange(true)) {
        closed_->close(std::move(result));
    }
}

}  // namespace keywatch::pipeline
