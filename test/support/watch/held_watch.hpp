// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "watch_tools.hpp"

#include <source_location>
#include <string>

// Tools for tests of watches that are slower than the commits.
namespace keywatch::test {

/// A callback that waits at a gate before each message, and then records it.
struct Held {
    Recorder recorder;
    Gate gate;

    Task operator()(const Message& message) const
    {
        const Held self = *this;
        const OwnedMessage kept(message);
        co_await self.gate.pass();
        self.recorder(*kept);
    }
};

/// Returns options with an inbox of two messages, and a timeout longer than any test.
inline WatchOptions slow_watch(Overflow overflow, From from = From::now())
{
    WatchOptions options = watch_from(from);
    options.overflow = overflow;
    options.buffer_messages = 2;
    options.callback_timeout = 2 * patience;
    return options;
}

/// Waits until everything committed is in the inboxes of all live watches, or did not fit there.
inline Task routed(Database db, std::source_location where = std::source_location::current())
{
    co_await until([&] { return db.stats().pipeline.routed_revision >= db.head_revision(); },
                   patience, where);
}

/// Same as `line_of`, with the interval of revisions if there is one, and the count.
inline std::string line_with_interval(const Message& message)
{
    std::string line = line_of(message);
    if (message.first_revision != message.revision) {
        line = std::to_string(message.first_revision) + '-' + line;
    }
    return message.count ? line + " x" + std::to_string(*message.count) : line;
}

inline std::vector<std::string> lines_with_intervals(const Recorder& recorder)
{
    std::vector<std::string> lines;
    for (const OwnedMessage& each : recorder.messages()) {
        lines.push_back(line_with_interval(*each));
    }
    return lines;
}

/// Commits a message and waits until it is held at the gate; the inbox is then empty.
inline Task put_and_hold(Database db, const Held& held,
                         std::source_location where = std::source_location::current())
{
    co_await put(db, "b", "held", "");
    co_await until([&] { return held.gate.reached() == 1; }, patience, where);
}

/// A watch that is held in the callback of its first message.
struct HeldWatch {
    Held held;
    Watcher watcher;
    Run run;

    /// Opens the gate, and waits until everything has been delivered.
    Task release(Database db, std::source_location where = std::source_location::current()) const
    {
        co_await routed(db, where);
        held.gate.open();
        co_await watcher.reached(db.head_revision());
    }
    std::vector<std::string> lines() const { return lines_with_intervals(held.recorder); }
};

inline asio::awaitable<HeldWatch> hold(Database db, Selectors selectors, WatchOptions options,
                                       std::source_location where = std::source_location::current())
{
    const Held held;
    Watcher watcher = db.watch(selectors, held, options);
    const Run run = co_await start(watcher);
    co_await put_and_hold(db, held, where);
    co_return HeldWatch{held, watcher, run};
}

/// Returns a pulled watch of bucket b whose worker has handed over the first message. The consumer
/// has not taken it.
inline asio::awaitable<PullWatcher> hold_pulled(
    Database db, WatchOptions options, std::source_location where = std::source_location::current())
{
    PullWatcher watcher = db.watch("b", all(), options);
    const auto wait_once = [](PullWatcher pulled) -> Task { co_await pulled.wait(); };
    const Job waiting = co_await spawn(wait_once(watcher));
    co_await until([&] { return watcher.info().state == WatcherState::live; }, patience, where);
    co_await put(db, "b", "held", "");
    co_await waiting.join(where);
    co_return watcher;
}

}  // namespace keywatch::test
