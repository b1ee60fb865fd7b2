// SPDX-License-Identifier: BSL-1.0
#include "support/engine/engine_tools.hpp"
#include "support/loop/hand_clock.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

using Stream = std::shared_ptr<engine::StateStream>;
using Part = std::shared_ptr<const CommitRecord>;

constexpr std::size_t much = std::size_t{4} << 20;

struct States : Engines {
    asio::awaitable<Stream> open_state() const
    {
        co_return co_await engine->open_state(in("b", all()));
    }

    /// Returns the keys of the remaining parts; each part must be within the limits.
    static asio::awaitable<std::vector<std::string>> rest(Stream stream, std::size_t messages,
                                                          std::size_t bytes = much)
    {
        std::vector<std::string> keys;
        const SliceLimits limits{messages, bytes};
        while (const Part part = co_await stream->next(limits)) {
            BOOST_TEST(part->messages.size() <= messages);
            BOOST_TEST(part->messages.size() > 0U);
            for (const Message& each : part->messages) {
                BOOST_TEST(each.snapshot);
                BOOST_TEST(each.index == keys.size());
                BOOST_TEST(each.revision == stream->revision());
                BOOST_TEST(each.time == stream->time());
                keys.emplace_back(each.key);
            }
        }
        co_return keys;
    }
};

Task take_part(Stream stream)
{
    const SliceLimits limits{1, much};
    co_await stream->next(limits);
}

}  // namespace

// The stream of a database's state, in parts for a snapshot.
BOOST_FIXTURE_TEST_SUITE(test_state_stream, States)

BOOST_AUTO_TEST_CASE(parts_are_as_large_as_they_may_be)
{
    run([&]() -> Task {
        co_await open();
        for (int i = 0; i < 7; ++i) {
            co_await put("k" + std::to_string(i));
        }
        const std::vector<std::string> keys{"", "k0", "k1", "k2", "k3", "k4", "k5", "k6"};
        for (std::size_t messages = 1; messages < 10; ++messages) {
            const Stream stream = co_await open_state();
            BOOST_TEST(stream->revision() == 8U);
            const std::vector<std::string> found = co_await rest(stream, messages);
            BOOST_TEST(found == keys);
            BOOST_TEST(!co_await stream->next(SliceLimits()));
        }
        co_await close();
    });
}

BOOST_AUTO_TEST_CASE(one_message_passes_however_large_it_is)
{
    run([&]() -> Task {
        co_await open();
        co_await put("a");
        co_await put("b", 100'000);
        co_await put("c");
        const Stream stream = co_await open_state();
        const SliceLimits limits{1000, 4000};
        std::vector<std::size_t> sizes;
        while (const Part part = co_await stream->next(limits)) {
            sizes.push_back(part->messages.size());
            BOOST_TEST((part->messages.size() == 1 || part->pinned_bytes() < 8000));
        }
        const std::vector<std::size_t> expected{2, 1, 1};
        BOOST_TEST(sizes == expected);
        co_await close();
    });
}

BOOST_AUTO_TEST_CASE(a_snapshot_does_not_change_while_it_is_read)
{
    run([&]() -> Task {
        co_await open();
        co_await put("a");
        co_await put("c");
        const Stream stream = co_await open_state();
        co_await put("b");
        const engine::TransactionFunction replace = [](Transaction& tx) {
            tx.delete_bucket(Structure::btree, "b");
            tx.create_bucket(Structure::btree, "b");
        };
        co_await engine->commit(replace);
        const std::vector<std::string> found = co_await rest(stream, 1);
        const std::vector<std::string> keys{"", "a", "c"};
        BOOST_TEST(found == keys);
        BOOST_TEST(stream->revision() == 3U);
        co_await close();
    });
}

// The snapshot is released with the stream, even halfway, and when the engine is closed.
BOOST_AUTO_TEST_CASE(a_stream_may_be_destroyed_before_or_after_the_engine)
{
    run([&]() -> Task {
        co_await open();
        co_await put("a");
        Stream unread = co_await open_state();
        Stream half = co_await open_state();
        Stream dropped = co_await open_state();
        co_await take_part(half);
        co_await take_part(dropped);
        dropped.reset();
        co_await close();
        BOOST_TEST(co_await failure_of(take_part(half)) == code(Error::closed));
        BOOST_TEST(half->revision() == 2U);
        half.reset();
        const engine::SnapshotFunction nothing = [](const Snapshot&) {};
        BOOST_TEST(co_await failure_of(engine->read(nothing)) == code(Error::closed));
        engine.reset();
        unread.reset();
    });
}

BOOST_AUTO_TEST_CASE(no_stream_is_opened_after_the_engine_is_closed)
{
    run([&]() -> Task {
        co_await open();
        co_await close();
        const auto open_one = [&]() -> Task { co_await open_state(); };
        BOOST_TEST(co_await failure_of(open_one()) == code(Error::closed));
    });
}

// A transaction that is not in the snapshot has extended the deadline of a key that still existed
// for it. The key must therefore be in the snapshot, although its deadline has passed by now.
BOOST_AUTO_TEST_CASE(a_key_that_existed_for_a_later_commit_is_in_the_snapshot)
{
    run([&]() -> Task {
        const HandClock clock;
        options.clock = clock.clock();
        co_await open();
        const engine::TransactionFunction put_dated = [](Transaction& tx) {
            tx.btree("b").put("k", "v", 10ms);
        };
        co_await engine->commit(put_dated);
        env.hold();  // transactions executed from here on are not durable
        const engine::TransactionFunction give_time = [](Transaction& tx) {
            tx.btree("b").set_ttl("k", 1h);
        };
        const auto commit = [&]() -> Task { co_await engine->commit(give_time); };
        const Job job = co_await spawn(commit());
        co_await until([&] { return env.somebody_waits(); });
        clock.advance(1min);
        const Stream during = co_await open_state();
        BOOST_TEST(during->revision() == 2U);
        const std::vector<std::string> found = co_await rest(during, 10);
        const std::vector<std::string> keys{"", "k"};
        BOOST_TEST(found == keys);
        env.release();
        co_await job.join();
        co_await close();
    });
}

BOOST_AUTO_TEST_CASE(an_expired_key_is_not_in_the_snapshot)
{
    run([&]() -> Task {
        const HandClock clock;
        options.clock = clock.clock();
        co_await open();
        const engine::TransactionFunction put_dated = [](Transaction& tx) {
            tx.btree("b").put("k", "v", 10ms);
            tx.btree("b").put("l", "v", 11ms);
        };
        co_await engine->commit(put_dated);
        const engine::TransactionFunction fails = [](Transaction&) {
            throw std::runtime_error("no commit");
        };
        BOOST_CHECK_THROW(co_await engine->commit(fails), std::runtime_error);
        clock.advance(10ms);  // there is no sweeper here
        const Stream stream = co_await open_state();
        const std::vector<std::string> found = co_await rest(stream, 10);
        const std::vector<std::string> keys{"", "l"};
        BOOST_TEST(found == keys);
        co_await close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
