// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "watch_tools.hpp"

#include <string>

// For tests of what a watch does that is slower than the commits.
namespace keywatch::test {

/// A callback that waits at a gate before each message, and then remembers it.
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

/// With an inbox of two messages, and all the time that a test may take.
inline WatchOptions slow_watch(Overflow overflow, From from = From::now())
{
    WatchOptions options = watch_from(from);
    options.overflow = overflow;
    options.buffer_messages = 2;
    options.callback_timeout = 2 * patience;
    return options;
}

/// Waits until everything that was committed is in the inboxes of all live watches, or was refused
/// there.
inline Task routed(Database db)
{
    co_await until([&] { return db.stats().pipeline.routed_revision >= db.head_revision(); });
}

/// As `line_of`, with the interval of revisions where it is one, and the count.
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

/// Commits a message that is held at the gate then, with an empty inbox.
inline Task put_and_hold(Database db, const Held& held)
{
    co_await put(db, "b", "held", "");
    co_await until([&] { return held.gate.reached() == 1; });
}

/// A watch that is held up in the callback of its first message.
struct HeldWatch {
    Held held;
    Watcher watcher;
    Run run;

    /// Lets it go on, and waits until it has been given everything.
    Task release(Database db) const
    {
        co_await routed(db);
        held.gate.open();
        co_await watcher.reached(db.head_revision());
    }
    std::vector<std::string> lines() const { return lines_with_intervals(held.recorder); }
};

inline asio::awaitable<HeldWatch> hold(Database db, Selectors selectors, WatchOptions options)
{
    const Held held;
    Watcher watcher = db.watch(selectors, held, options);
    const Run run = co_await start(watcher);
    co_await put_and_hold(db, held);
    co_return HeldWatch{held, watcher, run};
}

/// A pulled watch of bucket b with its first message handed over, which it asks for no further.
inline asio::awaitable<PullWatcher> hold_pulled(Database db, WatchOptions options)
{
    PullWatcher watcher = db.watch("b", all(), options);
    const auto wait_once = [](PullWatcher pulled) -> Task { co_await pulled.wait(); };
    const Job waiting = co_await spawn(wait_once(watcher));
    co_await until([&] { return watcher.info().state == WatcherState::live; });
    co_await put(db, "b", "held", "");
    co_await waiting.join();
    co_return watcher;
}

}  // namespace keywatch::test
