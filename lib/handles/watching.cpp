// SPDX-License-Identifier: BSL-1.0
#include <keywatch/database.hpp>
#include <keywatch/error.hpp>

#include "database_state.hpp"

#include "delivery/pulled_watcher.hpp"
#include "delivery/watcher_impl.hpp"
#include "values/failure.hpp"

#include <chrono>
#include <utility>

namespace [[gnu::visibility("default")]] keywatch {

namespace {

void check(const WatchOptions& options)
{
    require_option(options.callback_timeout > std::chrono::milliseconds::zero(),
                   "callback_timeout");
    require_option(options.buffer_messages > 0, "buffer_messages");
    require_option(options.buffer_bytes > 0, "buffer_bytes");
    require_option(options.min_interval >= std::chrono::milliseconds::zero(), "min_interval");
    require_option(options.min_interval == std::chrono::milliseconds::zero() ||
                       options.overflow == Overflow::latest,
                   "min_interval without Overflow::latest");
    require_option(options.progress_interval >= std::chrono::milliseconds::zero(),
                   "progress_interval");
}

/// Returns the position after which a watch begins.
Position start_of(const From& from, const engine::Engine& engine)
{
    const HistoryId history = engine.history_id();
    switch (from.kind()) {
    case From::Kind::now:
        return {history, engine.durable_head()};
    case From::Kind::revision:
        return {history, from.position().revision == 0 ? 0 : from.position().revision - 1};
    case From::Kind::oldest:
        return {history, engine.oldest() - 1};
    case From::Kind::cursor: {
        const auto position = engine.cursor(from.cursor());
        if (!position) {
            fail(Error::cursor_not_found);
        }
        return *position;
    }
    case From::Kind::snapshot:
        return {history, 0};  // until the state has been delivered
    case From::Kind::after:
        break;
    }
    const Position& position = from.position();
    if (position.history != history) {
        fail(Error::foreign_position);
    }
    const Revision newest = engine.highest_readable();
    if (position.revision > newest || (position.seen_of_next != 0 && position.revision == newest)) {
        fail(Error::position_ahead);
    }
    return position;
}

/// Returns a handle. Throws `closed` if the database is closing: a watch created meanwhile may have
/// missed that.
template <class Handle, class Core>
Handle unless_closing(const DatabaseState& state, const std::shared_ptr<Core>& core)
{
    if (state.pipeline->shutdown().has_begun()) {
        fail(Error::closed);
    }
    return Handle(core);
}

/// Rejects what cannot be watched. Returns the position after which the watch begins.
Position check_watch(const engine::Engine& engine, const WatchOptions& options)
{
    if (!engine.keeps_history()) {
        fail(Error::watch_disabled);
    }
    check(options);
    return start_of(options.from, engine);
}

}  // namespace

Watcher Database::watch(const Selectors& selectors, WatchCallback callback,
                        WatchOptions options) const
{
    const DatabaseState& state = open_state_of(state_);
    const Position start = check_watch(*state.engine, options);
    return unless_closing<Watcher>(
        state, delivery::WatcherImpl::make(state.pipeline, selectors, std::move(callback), options,
                                           start));
}

PullWatcher Database::watch(const Selectors& selectors, WatchOptions options) const
{
    const DatabaseState& state = open_state_of(state_);
    const Position start = check_watch(*state.engine, options);
    return unless_closing<PullWatcher>(state, delivery::WatcherImpl::make<delivery::PulledWatcher>(
                                                  state.pipeline, selectors, options, start));
}

Watcher Database::watch(std::string_view bucket, Selector selector, WatchCallback callback,
                        WatchOptions options) const
{
    return watch(in(std::string(bucket), std::move(selector)), std::move(callback),
                 std::move(options));
}

PullWatcher Database::watch(std::string_view bucket, Selector selector, WatchOptions options) const
{
    return watch(in(std::string(bucket), std::move(selector)), std::move(options));
}

}  // namespace keywatch
