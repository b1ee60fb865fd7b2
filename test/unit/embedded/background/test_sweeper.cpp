// SPDX-License-Identifier: BSL-1.0
#include "embedded/background/sweeper.hpp"

#include "support/engine/engine_tools.hpp"
#include "support/loop/hand_clock.hpp"
#include "support/printing.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <memory>
#include <new>
#include <string>
#include <utility>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

/// An engine that sweeps, on files whose syncs can be held.
struct Sweeping : Engines {
    HandClock clock;

    Task open_and_sweep()
    {
        options.clock = clock.clock();
        co_await open();
        engine->start_sweeper();
    }

    Task put_with_ttl(std::string key)
    {
        const engine::TransactionFunction put = [&](Transaction& tx) {
            tx.btree("b").put(key, "v", 1ms);
        };
        co_await engine->commit(put);
    }

    Task put_due(std::string key)
    {
        co_await put_with_ttl(std::move(key));
        clock.advance(1ms);
    }

    std::uint64_t expired() const { return engine->stats().expired; }

    /// Overwrites the stored value of a key with one that cannot be read.
    void damage(const std::string& key)
    {
        const auto store = storage::Store::open(options, &env);
        const auto entry = store->get(storage::bucket_key(Structure::btree, "b"), nullptr);
        storage::Batch batch;
        batch.put(storage::data_prefix(storage::decode_bucket(entry.value())->id) + key, "?");
        store->write(batch, false);
    }
};

}  // namespace

// `Sweeper`: when it sweeps, what it removes, and its end.
BOOST_FIXTURE_TEST_SUITE(test_sweeper, Sweeping)

BOOST_AUTO_TEST_CASE(while_no_key_has_a_deadline_the_clock_is_not_read)
{
    std::atomic<int> looks{0};
    const embedded::MonotonicClock counted([&] {
        ++looks;
        return Time{};
    });
    const auto store = storage::Store::open(Options("memory:"));
    async::WorkerThread thread;
    const auto owner = std::make_shared<int>();
    const auto sweeper =
        std::make_shared<embedded::Sweeper>(*store, counted, thread, executor(), owner,
                                            [](auto) -> asio::awaitable<Revision> { co_return 0; });
    sweeper->start();
    thread.finish();
    BOOST_TEST(looks == 0);
}

// W5
BOOST_AUTO_TEST_CASE(a_removal_is_delivered_when_it_is_durable)
{
    run([this]() -> Task {
        co_await open_and_sweep();
        co_await put_due("k");
        env.hold();
        co_await until([this] { return env.somebody_waits(); });
        BOOST_TEST(sink->revisions().size() == 2U);
        BOOST_TEST(!co_await sees("k"));
        env.release();
        co_await until([this] { return sink->revisions().size() == 3U; });
        BOOST_TEST(expired() == 1U);
        co_await close();
    });
}

BOOST_AUTO_TEST_CASE(closing_waits_for_a_sweep_under_way_and_none_begins_after)
{
    run([this]() -> Task {
        co_await open_and_sweep();
        co_await put_due("k");
        env.hold();
        co_await until([this] { return env.somebody_waits(); });
        clock.advance(1h);
        const Job closing = co_await spawn(close());
        co_await yield();
        BOOST_TEST(!closing.done());
        env.release();
        co_await closing.join();
        BOOST_TEST(expired() == 1U);
        BOOST_TEST(engine->durable_head() == 3U);
    });
}

BOOST_AUTO_TEST_CASE(a_failed_write_ends_all_sweeping)
{
    run([this]() -> Task {
        co_await open_and_sweep();
        co_await put_with_ttl("k");
        env.fail_syncs();
        clock.advance(1ms);
        BOOST_TEST(co_await failure_of(put("other")) == code(Error::storage_failed));
        BOOST_TEST(!co_await sees("k"));
        BOOST_TEST(expired() == 0U);
        co_await close();
    });
}

BOOST_AUTO_TEST_CASE(a_failed_sweep_is_repeated)
{
    const embedded::MonotonicClock still([] { return Time{}; });
    const auto store = storage::Store::open(Options("memory:"));
    storage::Batch batch;
    batch.put(storage::deadline_key(Time{}, storage::data_prefix(1) + "k"), {});
    store->write(batch, false);
    async::WorkerThread thread;
    const auto owner = std::make_shared<int>();
    int sweeps = 0;
    const auto fail_twice = [&](auto) -> asio::awaitable<Revision> {
        ++sweeps;
        if (sweeps == 1) {
            throw std::bad_alloc();
        }
        if (sweeps == 2) {
            throw boost::system::system_error(make_error_code(Error::damaged));
        }
        co_return 1;
    };
    const auto sweeper =
        std::make_shared<embedded::Sweeper>(*store, still, thread, executor(), owner, fail_twice);
    run([&]() -> Task {
        sweeper->start();
        co_await until([&] { return sweeps == 3; });
    });
    thread.finish();
    BOOST_TEST(sweeps == 3);
}

// The end of a sweep is reported by a post, which may come after the store was closed.
BOOST_AUTO_TEST_CASE(a_sweep_may_fail_when_the_store_is_closed)
{
    const embedded::MonotonicClock still([] { return Time{}; });
    auto store = storage::Store::open(Options("memory:"));
    storage::Batch batch;
    batch.put(storage::deadline_key(Time{}, storage::data_prefix(1) + "k"), {});
    store->write(batch, false);
    async::WorkerThread thread;
    const auto owner = std::make_shared<int>();
    bool failed = false;
    const auto fail = [&](auto) -> asio::awaitable<Revision> {
        thread.stop();
        store.reset();
        failed = true;
        throw boost::system::system_error(make_error_code(Error::storage_failed));
        co_return 1;
    };
    const auto sweeper =
        std::make_shared<embedded::Sweeper>(*store, still, thread, executor(), owner, fail);
    run([&]() -> Task {
        sweeper->start();
        co_await until([&] { return failed; });
        co_await test::yield();
    });
    BOOST_TEST(failed);
}

BOOST_AUTO_TEST_CASE(a_key_that_cannot_be_read_keeps_no_other_from_going)
{
    run([this]() -> Task {
        co_await open_and_sweep();
        co_await put_with_ttl("damaged");
        co_await put_with_ttl("k");
        co_await close();
        damage("damaged");
        engine = co_await embedded::EmbeddedEngine::open(options, &env);
        clock.advance(1ms);
        engine->start_sweeper();
        co_await until([this] { return expired() == 1; });
        BOOST_TEST(!co_await sees("k"));
        co_await close();
    });
}

BOOST_AUTO_TEST_CASE(the_context_may_be_destroyed_while_a_sweep_waits_for_the_disk)
{
    run([this]() -> Task {
        co_await open_and_sweep();
        co_await put_due("k");
        env.hold();
    });
    run_until([this] { return env.somebody_waits(); });
    env.release();
    destroy();
    BOOST_TEST(engine->durable_head() >= 2U);
}

BOOST_AUTO_TEST_CASE(the_context_may_be_destroyed_before_the_sweep_that_is_due_begins)
{
    run([this]() -> Task {
        co_await open_and_sweep();
        co_await put_due("k");
    });
    destroy();
    BOOST_TEST(expired() <= 1U);
}

BOOST_AUTO_TEST_SUITE_END()
