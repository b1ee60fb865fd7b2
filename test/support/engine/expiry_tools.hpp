// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/called_at.hpp"
#include "support/loop/hand_clock.hpp"
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

// Tools for tests of keys with deadlines.
namespace keywatch::test {

using Strings = std::vector<std::string>;

/// Databases with a clock that the test advances, and a record of what expires in bucket "b".
struct Expiry : EventLoop {
    HandClock clock;
    Recorder recorder;

    Options options(std::string location = "memory:") const
    {
        Options options = watched_options(std::move(location));
        options.clock = clock.clock();
        return options;
    }

    asio::awaitable<Database> open() const { return open_with(options(), "b"); }

    /// Returns `<key>=<previous value>` of the expired keys.
    Strings expired(std::source_location where = std::source_location::current()) const
    {
        BOOST_TEST_INFO_SCOPE(called_at(where));
        Strings expired;
        for (const OwnedMessage& each : recorder.messages()) {
            if (each->cause == Cause::expired) {
                BOOST_TEST(each->operation == Operation::erase);
                expired.push_back(std::string(each->key) + "=" +
                                  std::string(each->previous.value_or("(none)")));
            }
        }
        return expired;
    }

    Task until_expired(std::size_t count,
                       std::source_location where = std::source_location::current()) const
    {
        return until([this, count, where] { return expired(where).size() >= count; }, patience,
                     where);
    }

    /// Puts a key that expires in a millisecond, and waits until it has expired. Everything that
    /// was due before has then been swept.
    Task sweep_up_to_now(Database db,
                         std::source_location where = std::source_location::current()) const
    {
        const std::size_t before = expired(where).size();
        co_await db.put("b", "marker", "m", std::chrono::milliseconds(1));
        clock.advance(std::chrono::milliseconds(1));
        const auto gone = [this, before, where] {
            const Strings now = expired(where);
            return std::find(now.begin() + static_cast<std::ptrdiff_t>(before), now.end(),
                             "marker=m") != now.end();
        };
        co_await until(gone, patience, where);
    }
};

}  // namespace keywatch::test
