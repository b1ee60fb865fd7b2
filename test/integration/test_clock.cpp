// SPDX-License-Identifier: BSL-1.0
#include "support/loop/hand_clock.hpp"
#include "support/model/model_state.hpp"
#include "support/model/model_steps.hpp"
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include "bytes/time_range.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <iterator>
#include <random>
#include <string>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

constexpr Time ends_of_range[] = {Time{-bytes::clock_range}, Time{bytes::clock_range}};

/// Times that a faulty clock may return, up to and beyond what history can store.
constexpr Time odd_times[] = {Time::min(),
                              Time::max(),
                              Time{},
                              Time{-24h * 365 * 200},
                              Time{-1us},
                              ends_of_range[0],
                              ends_of_range[1],
                              ends_of_range[0] - 1us,
                              ends_of_range[1] + 1us,
                              Time{bytes::storable_range},
                              Time{bytes::storable_range} + 1us,
                              Time{-bytes::storable_range} - 1us};

/// A database on disk with a clock that the test sets.
struct OnDisk : EventLoop {
    HandClock clock;
    TemporaryDirectory directory;

    Options options(bool history, const std::string& name = "db") const
    {
        Options options{directory / (name + (history ? "" : " without history"))};
        options.enable_watch = history;
        options.clock = clock.clock();
        options.durability = Durability::buffered;
        options.history.age = std::chrono::seconds::max();
        return options;
    }

    /// Creates the database with the key "k", which expires in 10 s.
    asio::awaitable<Database> make(bool history) const
    {
        Database db = co_await open_with(options(history), "b");
        co_await db.put("b", "k", "v", 10s);
        co_return db;
    }

    /// Opens the database at a time before the deadline of "k", which had already passed.
    Task check_still_expired(bool history, const std::string& name = "db")
    {
        clock.advance(-15s);
        Database db = co_await open_database(options(history, name));
        BOOST_TEST(co_await db.get("b", "k") == std::nullopt);
        // Time does not advance until the clock has reached that time again.
        co_await db.put("b", "new", "v", 1s);
        clock.advance(14s);
        BOOST_TEST(co_await db.get("b", "new") == "v");
        clock.advance(3s);
        BOOST_TEST(co_await db.get("b", "new") == std::nullopt);
        co_await db.close();
    }
};

asio::awaitable<std::chrono::milliseconds> time_to_live(Database db, std::string key)
{
    const auto ttl = [&](const Snapshot& snapshot) { return snapshot.btree("b").ttl(key); };
    co_return (co_await db.view(ttl)).value_or(0ms);
}

/// Writes one of everything that can have a time.
void write_everywhere(Transaction& tx, bool history)
{
    tx.btree("b").put("plain", "v");
    tx.btree("b").put("long", "v", 24h * 365 * 900);
    tx.btree("b").put("longest", "v", 24h * 365'250);
    tx.btree("b").put("short", "v", 1ms);
    tx.list("b").push_back("k", {"x", "y"});
    tx.set("b").add("k", "x");
    tx.sorted_set("b").add("k", "x", 1);
    tx.list("b").set_ttl("k", 24h * 365 * 900);
    tx.set("b").set_ttl("k", 24h * 365 * 900);
    tx.sorted_set("b").set_ttl("k", 24h * 365 * 900);
    if (history) {
        tx.save_cursor("c", tx.revision());
    }
}

void check_everywhere(const Snapshot& snapshot)
{
    BOOST_TEST(snapshot.btree("b").get("plain") == "v");
    BOOST_TEST(snapshot.btree("b").get("long") == "v");
    BOOST_TEST(snapshot.btree("b").get("longest") == "v");
    BOOST_TEST(snapshot.btree("b").ttl("longest") > 24h * 365 * 900);
    BOOST_TEST(snapshot.list("b").size("k") == 2U);
    BOOST_TEST(snapshot.set("b").contains("k", "x"));
    BOOST_TEST(snapshot.sorted_set("b").score("k", "x") == 1.0);
    BOOST_TEST(snapshot.list("b").ttl("k") > 24h * 365 * 800);
}

Task write_and_read(Options options, HandClock clock, Time odd)
{
    BOOST_TEST_CONTEXT("a clock at " << odd.time_since_epoch().count())
    {
        Database db = co_await open_database(options);
        co_await db.update([](Transaction& tx) {
            for (const auto structure :
                 {Structure::btree, Structure::list, Structure::set, Structure::sorted_set}) {
                tx.create_bucket(structure, "b");
            }
        });
        const Time before = clock.now();
        clock.set(odd);
        co_await db.update([&](Transaction& tx) { write_everywhere(tx, options.enable_watch); });
        clock.set(before);
        co_await db.put("b", "after", "v");
        co_await db.close();
        db = co_await open_database(options);
        co_await db.view([](const Snapshot& snapshot) { check_everywhere(snapshot); });
        BOOST_TEST(co_await db.get("b", "after") == "v");
        if (options.enable_watch) {
            const auto told = co_await history_of(db, "b", all(), From::oldest());
            BOOST_TEST(std::ranges::count(told, "2.0 put plain=v") == 1);
            BOOST_TEST((co_await db.cursors()).size() == 1U);
        }
        co_await db.close();
    }
}

/// Makes random changes while the clock jumps between odd times, and keeps the expected contents.
class Jumps {
public:
    Jumps(const OnDisk& place, bool history, std::uint64_t seed)
        : place_(place), history_(history), random_(seed)
    {
    }

    Task run(int openings)
    {
        {
            now_ = bytes::in_clock_range(place_.clock.now());
            // Without this, no time is stored as long as nothing can expire.
            Database db = co_await open_with(place_.options(history_), beside);
            co_await db.put(beside, "k", "v", 1ms);
            co_await db.close();
        }
        for (int i = 0; i < openings; ++i) {
            Database db = co_await open_database(place_.options(history_));
            co_await jump(db);
            for (int changes = 0; changes < 20; ++changes) {
                co_await change(db);
            }
            BOOST_TEST(describe(co_await read(db)) == describe(state_));
            co_await db.close();
        }
        co_await check();
    }

private:
    /// Sets the clock. The effective time is the latest so far, after each was clamped to the valid
    /// range.
    Task jump(Database db)
    {
        place_.clock.set(odd_times[random_() % std::size(odd_times)]);
        co_await db.cursors();  // makes the database read its clock
        now_ = std::max(now_, bytes::in_clock_range(place_.clock.now()));
        state_.remove_expired(now_);
    }

    Task change(Database db)
    {
        if (random_() % 4 == 0) {
            co_await jump(db);
        }
        const auto steps = [&](Transaction& tx) {
            ModelSteps model(tx, state_, now_, random_);
            for (int i = 0; i < 5; ++i) {
                model.step();
            }
        };
        co_await db.update(steps);
    }

    asio::awaitable<ModelState> read(Database db) const
    {
        const auto read = [this](const Snapshot& shown) { return read_state(shown, now_); };
        ModelState state = co_await db.view(read);
        state.btrees.erase(beside);
        co_return state;
    }

    Task check()
    {
        Database db = co_await open_database(place_.options(history_));
        co_await jump(db);
        BOOST_TEST(describe(co_await read(db)) == describe(state_));
        if (history_) {
            ModelState replayed;
            const auto replay = [&](const Message& message) { apply(replayed, message); };
            Watcher watcher = db.watch(whole_database(), replay, watch_from(From::oldest()));
            const Run run = co_await start(watcher);
            co_await watcher.reached(db.head_revision());
            replayed.btrees.erase(beside);
            replayed.remove_expired(now_);
            BOOST_TEST(describe(replayed) == describe(state_));
            co_await watcher.stop();
            co_await run.end();
        }
        co_await db.close();
    }

    static constexpr const char* beside = "beside";

    const OnDisk& place_;
    const bool history_;
    std::mt19937_64 random_;
    Time now_{};
    ModelState state_;
};

}  // namespace

// Clocks that go back, stand still or show impossible times.
BOOST_FIXTURE_TEST_SUITE(test_clock, OnDisk)

BOOST_AUTO_TEST_CASE(what_a_commit_found_expired_stays_so_after_a_reopen)
{
    for (const bool history : {false, true}) {
        run([&]() -> Task {
            Database db = co_await make(history);
            clock.advance(20s);
            co_await db.put("b", "other", "v");
            co_await db.close();
            co_await check_still_expired(history);
        });
    }
}

BOOST_AUTO_TEST_CASE(what_a_commit_found_expired_stays_so_after_a_crash)
{
    for (const bool history : {false, true}) {
        run([&]() -> Task {
            Database db = co_await make(history);
            clock.advance(20s);
            co_await db.put("b", "other", "v");
            // The backup has the files that a crash would leave.
            co_await db.backup(options(history, "crashed").location);
            co_await check_still_expired(history, "crashed");
            co_await db.close();
        });
    }
}

BOOST_AUTO_TEST_CASE(what_only_a_view_found_expired_stays_so_after_a_close)
{
    for (const bool history : {false, true}) {
        run([&]() -> Task {
            Database db = co_await make(history);
            clock.advance(20s);
            BOOST_TEST(co_await db.get("b", "k") == std::nullopt);
            co_await db.close();
            co_await check_still_expired(history);
        });
    }
}

BOOST_AUTO_TEST_CASE(what_only_a_view_found_expired_stays_so_when_its_event_loop_is_destroyed)
{
    clock.advance(-20s);
    {
        EventLoop other;
        std::optional<Database> db;
        other.run([&]() -> Task { db.emplace(co_await make(true)); });
        clock.advance(20s);
        other.run([&]() -> Task { BOOST_TEST(co_await db->get("b", "k") == std::nullopt); });
        other.destroy();
    }
    run([&]() -> Task { co_await check_still_expired(true); });
}

BOOST_AUTO_TEST_CASE(everything_written_at_an_odd_time_can_be_read)
{
    for (const bool history : {false, true}) {
        int number = 0;
        for (const Time odd : odd_times) {
            const Options place = options(history, "db " + std::to_string(++number));
            run([&]() -> Task { co_await write_and_read(place, clock, odd); });
        }
    }
}

BOOST_AUTO_TEST_CASE(a_clock_that_jumps_between_odd_times_loses_and_brings_back_nothing)
{
    const std::uint64_t seed = std::random_device()();
    BOOST_TEST_MESSAGE("seed " << seed);
    for (const bool history : {false, true}) {
        run([&]() -> Task { co_await Jumps(*this, history, seed).run(8); });
    }
}

BOOST_AUTO_TEST_CASE(a_clock_before_1970_works)
{
    run([this]() -> Task {
        clock.set(Time{-24h * 365 * 50});
        Database db = co_await make(true);
        BOOST_TEST(co_await time_to_live(db, "k") == 10s);
        clock.advance(4s);
        BOOST_TEST(co_await time_to_live(db, "k") == 6s);
        co_await db.close();
        clock.advance(7s);
        db = co_await open_database(options(true));
        BOOST_TEST(co_await db.get("b", "k") == std::nullopt);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(at_the_end_of_the_range_time_stops_and_nothing_expires_at_once)
{
    run([this]() -> Task {
        clock.set(Time::max());
        Database db = co_await make(true);
        clock.set(Time::max() - 1h);
        BOOST_TEST(co_await time_to_live(db, "k") == 10s);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(the_lead_over_a_clock_that_was_set_back_is_in_the_figures)
{
    run([this]() -> Task {
        Database db = co_await make(true);
        BOOST_TEST(db.stats().engine.clock_lead == 0s);
        clock.advance(1h);
        co_await db.put("b", "other", "v");
        clock.advance(-1h);
        BOOST_TEST(db.stats().engine.clock_lead == 1h);
        clock.advance(40min);
        BOOST_TEST(db.stats().engine.clock_lead == 20min);
        clock.advance(30min);
        BOOST_TEST(db.stats().engine.clock_lead == 0s);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
