// SPDX-License-Identifier: BSL-1.0
#include "pipeline.hpp"
#include "watcher_core.hpp"

#include <exception>

namespace keywatch::pipeline {

namespace {

std::string text_of(const std::exception_ptr& error)
{
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& exception) {
        return exception.what();
    } catch (...) {
        return "an exception that is no std::exception";
    }
}

}  // namespace

WatcherInfo WatcherCore::info() const
{
    WatcherInfo info;
    info.id = id_;
    info.name = *name_;
    std::vector<BucketSelector> selectors;
    for (const watch::Interest& each : interests()) {
        selectors.push_back(each.selector);
    }
    info.selectors = Selectors(std::move(selectors));
    info.overflow = overflow_;
    info.pulled = pull_ != nullptr;
    info.position = position();
    // A busy worker does not know yet what has happened to its inbox, so the inbox counts as well.
    const watch::Inbox::Level level = inbox.level();
    std::exception_ptr error;
    {
        const std::lock_guard lock(mutex());
        if (state_ == State::ended) {
            info.state = WatcherState::ended;
        } else if (state_ == State::running) {
            const bool live = live_.load(std::memory_order_relaxed) && !level.fell_behind;
            info.state = live ? WatcherState::live : WatcherState::catching_up;
            info.overflowed = has_overflowed(level);
        }
        info.end = reason_;
        error = error_;
    }
    if (error) {
        info.error = text_of(error);
    }
    if (info.state != WatcherState::ended) {
        info.lag = pipeline_->engine().lag(position_.load());
    }
    info.queued_messages = level.messages;
    info.queued_bytes = level.bytes;
    info.commits = figures_.commits.load(std::memory_order_relaxed);
    info.messages = figures_.messages.load(std::memory_order_relaxed);
    info.fell_behind = level.falls;
    info.coalesced = figures_.coalesced.load(std::memory_order_relaxed);
    info.gaps = level.gaps;
    info.skipped = level.skipped;
    info.callback_time =
        std::chrono::nanoseconds(figures_.callback_nanoseconds.load(std::memory_order_relaxed));
    info.longest_callback =
        std::chrono::nanoseconds(figures_.longest_nanoseconds.load(std::memory_order_relaxed));
    return info;
}

bool WatcherCore::would_reach(std::string_view bucket, std::string_view key) const
{
    const std::lock_guard lock(mutex());
    return state_ == State::running && follows(bucket, key);
}

}  // namespace keywatch::pipeline
