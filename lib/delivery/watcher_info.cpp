// SPDX-License-Identifier: BSL-1.0
#include "watcher_impl.hpp"

#include <exception>

namespace keywatch::delivery {

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

WatcherInfo WatcherImpl::info() const
{
    WatcherInfo info;
    info.id = id_;
    info.name = *name_;
    std::vector<BucketSelector> selectors;
    for (const watch::Interest& each : interests()) {
        selectors.push_back(each.selector);
    }
    info.selectors = Selectors(std::move(selectors));
    info.overflow = context_.overflow;
    info.pulled = worker_.sink().keeps_batches();
    info.position = position();
    // A busy worker does not know yet what has happened to its inbox, so the inbox counts as well.
    const watch::Inbox::Level level = inbox.level();
    std::exception_ptr error;
    {
        const std::lock_guard lock(mutex());
        if (state_ == State::ended) {
            info.state = WatcherState::ended;
        } else if (state_ == State::running) {
            const bool live = context_.progress.is_live() && !level.fell_behind;
            info.state = live ? WatcherState::live : WatcherState::catching_up;
            info.overflowed = context_.progress.has_overflowed(
                context_.overflow, context_.pipeline->router().routed(), level);
        }
        info.end = reason_;
        error = error_;
    }
    if (error) {
        info.error = text_of(error);
    }
    if (info.state != WatcherState::ended) {
        info.lag = context_.pipeline->engine().lag(context_.progress.revision());
    }
    info.queued_messages = level.messages;
    info.queued_bytes = level.bytes;
    info.commits = context_.figures.commits.load(std::memory_order_relaxed);
    info.messages = context_.figures.messages.load(std::memory_order_relaxed);
    info.fell_behind = level.falls;
    info.coalesced = context_.figures.coalesced.load(std::memory_order_relaxed);
    info.gaps = level.gaps;
    info.skipped = level.skipped;
    info.callback_time = std::chrono::nanoseconds(
        context_.figures.callback_nanoseconds.load(std::memory_order_relaxed));
    info.longest_callback = std::chrono::nanoseconds(
        context_.figures.longest_nanoseconds.load(std::memory_order_relaxed));
    return info;
}

}  // namespace keywatch::delivery
