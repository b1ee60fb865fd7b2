// SPDX-License-Identifier: BSL-1.0
#include "embedded/embedded_engine.hpp"

#include "support/engine/engine_tools.hpp"
#include "support/printing.hpp"

#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::embedded;
using keywatch::test::code;
using keywatch::test::Engines;
using keywatch::test::failure_of;
using keywatch::test::Job;
using keywatch::test::spawn;
using keywatch::test::Task;
using keywatch::test::until;

namespace {

using Revisions = std::vector<Revision>;

Task check_storage_failed(Task task)
{
    BOOST_TEST(co_await failure_of(std::move(task)) == code(Error::storage_failed));
}

}  // namespace

// EmbeddedEngine, with its GroupWriter, HistoryTrimmer and PrefixEraser.
BOOST_FIXTURE_TEST_SUITE(test_embedded_engine, Engines)

BOOST_AUTO_TEST_CASE(commits_queued_during_a_flush_are_one_batch_with_one_flush)
{
    run([this]() -> Task {
        co_await open();
        env.hold();
        const Job first = co_await spawn(put("first"));
        co_await until([this] { return env.somebody_waits(); });
        const std::size_t appends = env.appends();
        const std::size_t syncs = env.syncs();
        const auto jobs = co_await start_puts(20);
        co_await until([this] { return functions == 21; });
        env.release();
        co_await first.join();
        co_await join(jobs);
        BOOST_TEST(env.syncs() == syncs + 1);
        BOOST_TEST(env.appends() <= appends + 4);  // one record, in a few pieces
        BOOST_TEST(engine->durable_head() == 22U);
        BOOST_TEST(sink->revisions().size() == 22U);
        co_await close();
    });
}

BOOST_AUTO_TEST_CASE(idle_writers_that_come_together_share_a_flush)
{
    run([this]() -> Task {
        co_await open();
        const std::size_t syncs = env.syncs();
        co_await join(co_await start_puts(10));
        BOOST_TEST(env.syncs() <= syncs + 2);
        co_await close();
    });
}

// W5
BOOST_AUTO_TEST_CASE(nothing_is_visible_before_it_is_durable)
{
    run([this]() -> Task {
        co_await open();
        env.hold();
        const Job job = co_await spawn(put("k"));
        co_await until([this] { return env.somebody_waits(); });
        BOOST_TEST(!co_await sees("k"));
        BOOST_TEST(engine->durable_head() == 1U);
        BOOST_TEST(sink->revisions() == Revisions{1});
        const HistorySlice slice = co_await engine->read_history(1, 9, {});
        BOOST_TEST(slice.commits.empty());
        BOOST_TEST(!job.done());
        env.release();
        co_await job.join();
        BOOST_TEST(co_await sees("k"));
        BOOST_TEST(sink->revisions().size() == 2U);
        co_await close();
    });
}

BOOST_AUTO_TEST_CASE(a_transaction_builds_on_those_that_are_not_durable_yet)
{
    run([this]() -> Task {
        co_await open();
        env.hold();
        const Job job = co_await spawn(put("k"));
        co_await until([this] { return env.somebody_waits(); });
        bool seen = false;
        const auto look = [&]() -> Task {
            const engine::TransactionFunction fn = [&](Transaction& tx) {
                seen = tx.btree("b").contains("k") && tx.revision() == 2;
            };
            BOOST_TEST(co_await engine->commit(fn) == 2U);
        };
        const Job reader = co_await spawn(look());
        co_await until([&] { return seen; });
        co_await test::yield();
        BOOST_TEST(!reader.done());  // the data that it has read is not durable yet
        env.release();
        co_await reader.join();
        BOOST_TEST(job.done());
        co_await close();
    });
}

// While a batch that changes the catalogue is being written, views look up names in the store.
BOOST_AUTO_TEST_CASE(a_view_during_a_change_of_the_catalogue_sees_the_old_one)
{
    run([this]() -> Task {
        co_await open();
        co_await create("a");
        env.hold();
        const Job job = co_await spawn(create("c"));
        co_await until([this] { return env.somebody_waits(); });
        const engine::SnapshotFunction look = [](const Snapshot& snapshot) {
            BOOST_TEST(snapshot.has_bucket(Structure::btree, "b"));
            BOOST_TEST(!snapshot.has_bucket(Structure::btree, "c"));
            BOOST_TEST(!snapshot.has_bucket(Structure::set, "b"));
            BOOST_TEST(snapshot.btree("b").scan().to_vector().empty());
            BOOST_TEST(snapshot.revision() == 2U);
            const std::vector<Bucket> expected{{Structure::btree, "a"}, {Structure::btree, "b"}};
            BOOST_TEST(snapshot.buckets() == expected);
        };
        co_await engine->read(look);
        env.release();
        co_await job.join();
        bool seen = false;
        const engine::SnapshotFunction again = [&](const Snapshot& snapshot) {
            seen = snapshot.has_bucket(Structure::btree, "c");
        };
        co_await engine->read(again);
        BOOST_TEST(seen);
        co_await close();
    });
}

BOOST_AUTO_TEST_CASE(a_failed_flush_fails_it_and_all_on_top_for_good)
{
    run([this]() -> Task {
        co_await open();
        env.hold();
        const Job first = co_await spawn(put("first"));
        co_await until([this] { return env.somebody_waits(); });
        const auto jobs = co_await start_puts(5);
        co_await until([this] { return functions == 6; });
        env.fail_syncs();
        env.release();
        co_await check_storage_failed(first.join());
        for (const Job& each : jobs) {
            co_await check_storage_failed(each.join());
        }
        co_await check_storage_failed(put("late"));
        BOOST_TEST(functions == 6);  // its function did not run
        // Views continue at the last durable revision; the sink received no later one.
        BOOST_TEST(!co_await sees("first"));
        BOOST_TEST(engine->durable_head() == 1U);
        BOOST_TEST(sink->revisions().size() == 1U);
        co_await close();
    });
}

BOOST_AUTO_TEST_CASE(too_much_that_waits_for_the_disk_makes_writers_wait_not_fail)
{
    options.max_pending_bytes = 50000;
    run([this]() -> Task {
        co_await open();
        env.hold();
        const auto jobs = co_await start_puts(20, 10000);
        co_await until([this] { return env.somebody_waits(); });
        for (int i = 0; i < 50; ++i) {
            co_await test::yield();
        }
        BOOST_TEST(functions >= 2);
        BOOST_TEST(functions <= 6);
        env.release();
        co_await join(jobs);
        BOOST_TEST(functions == 20);
        co_await close();
    });
}

BOOST_AUTO_TEST_CASE(draining_refuses_new_calls_and_waits_for_running_ones)
{
    run([this]() -> Task {
        co_await open();
        env.hold();
        const auto jobs = co_await start_puts(3);
        co_await until([this] { return env.somebody_waits(); });
        const Job drain = co_await spawn(engine->drain());
        co_await test::yield();
        BOOST_TEST(co_await failure_of(put("late")) == code(Error::closed));
        BOOST_TEST(!drain.done());
        env.release();
        co_await drain.join();
        BOOST_TEST(engine->durable_head() == 4U);
        co_await join(jobs);
        co_await engine->drain();
        co_await engine->close();
        BOOST_TEST(co_await failure_of([this]() -> Task { co_await sees("k"); }()) ==
                   code(Error::closed));
    });
}

BOOST_AUTO_TEST_CASE(a_queued_transaction_can_be_cancelled_and_one_that_has_run_cannot)
{
    options.max_pending_bytes = 1;
    run([this]() -> Task {
        co_await open();
        env.hold();
        const Job running = co_await spawn(put("k"));
        co_await until([this] { return functions == 1; });
        const Job queued = co_await spawn(put("l"));
        co_await test::yield();
        queued.cancel();
        running.cancel();
        BOOST_TEST(co_await failure_of(queued.join()) == asio::error::operation_aborted);
        BOOST_TEST(!running.done());
        env.release();
        co_await failure_of(running.join());
        BOOST_TEST(functions == 1);
        BOOST_TEST(engine->durable_head() == 2U);  // it was committed nevertheless
        co_await close();
    });
}

BOOST_AUTO_TEST_CASE(an_exception_of_a_function_is_rethrown_and_changes_nothing)
{
    run([this]() -> Task {
        co_await open();
        const engine::TransactionFunction fn = [](Transaction& tx) {
            tx.btree("b").put("k", "1");
            throw std::runtime_error("no");
        };
        bool thrown = false;
        try {
            co_await engine->commit(fn);
        } catch (const std::runtime_error&) {
            thrown = true;
        }
        BOOST_TEST(thrown);
        BOOST_TEST(!co_await sees("k"));
        co_await put("l");
        BOOST_TEST(engine->durable_head() == 2U);
        co_await close();
    });
}

BOOST_AUTO_TEST_CASE(buffered_commits_are_written_without_a_flush)
{
    options.durability = Durability::buffered;
    run([this]() -> Task {
        co_await open();
        env.hold();  // there are no syncs to wait for
        co_await join(co_await start_puts(10));
        BOOST_TEST(engine->durable_head() == 11U);
        BOOST_TEST(sink->revisions().size() == 11U);
        env.release();
        co_await close();
    });
}

BOOST_AUTO_TEST_CASE(without_history_nothing_is_recorded_and_revisions_continue)
{
    options.enable_watch = false;
    run([this]() -> Task {
        co_await open();
        co_await join(co_await start_puts(3));
        BOOST_TEST(engine->durable_head() == 4U);
        BOOST_TEST(sink->revisions().empty());
        co_await close();
        engine = co_await EmbeddedEngine::open(options, &env);
        BOOST_TEST(engine->durable_head() == 4U);
        co_await close();
    });
}

// W6
BOOST_AUTO_TEST_CASE(history_beyond_its_limit_is_trimmed_and_reported_as_compacted)
{
    options.history.commits = 40;
    run([this]() -> Task {
        co_await open();
        for (int i = 0; i < 200; ++i) {
            co_await put("k");
        }
        co_await until([this] { return engine->oldest() > 150; });
        // Trimming may continue in the meantime, but must keep the forty newest commits.
        const Revision oldest_kept = 201 - 39;
        const Revision before = engine->oldest();
        BOOST_TEST(before <= oldest_kept);
        const HistorySlice trimmed = co_await engine->read_history(10, 20, {});
        BOOST_TEST_REQUIRE(trimmed.compacted.has_value());
        BOOST_TEST(*trimmed.compacted >= before);
        BOOST_TEST(*trimmed.compacted <= oldest_kept);
        const HistorySlice rest = co_await engine->read_history(oldest_kept - 1, 201, {5});
        BOOST_TEST(rest.commits.size() == 5U);
        BOOST_TEST(rest.reached == oldest_kept + 4);
        co_await close();
    });
}

BOOST_AUTO_TEST_CASE(a_dropped_bucket_is_erased_in_the_background)
{
    run([this]() -> Task {
        co_await open();
        const engine::TransactionFunction fill = [](Transaction& tx) {
            for (int i = 0; i < 3000; ++i) {
                tx.btree("b").put(std::to_string(i), "v");
            }
        };
        co_await engine->commit(fill);
        const engine::TransactionFunction drop = [](Transaction& tx) {
            tx.delete_bucket(Structure::btree, "b");
        };
        co_await engine->commit(drop);
        co_await close();  // returns after the next background steps
        const auto store = storage::Store::open(options, &env);
        const auto count = [&](const std::string& prefix) {
            std::size_t keys = 0;
            const auto iterator = store->iterate(nullptr, false);
            for (iterator->Seek(prefix); iterator->Valid() && iterator->key().starts_with(prefix);
                 iterator->Next()) {
                ++keys;
            }
            return keys;
        };
        BOOST_TEST(count("d") < 3000U);
    });
}

BOOST_AUTO_TEST_CASE(a_view_and_its_iterators_end_with_their_function)
{
    run([this]() -> Task {
        co_await open();
        co_await put("k");
        std::optional<BTreeView> tree;
        std::optional<BTreeIterator> iterator;
        std::optional<Snapshot> kept;
        const engine::SnapshotFunction keep = [&](const Snapshot& snapshot) {
            kept = snapshot;
            tree = snapshot.btree("b");
            iterator = tree->iterator();
            iterator->first();
        };
        co_await engine->read(keep);
        co_await close();
        const auto check = [](const std::function<void()>& use) {
            BOOST_TEST(failure_of(use) == code(Error::transaction_finished));
        };
        check([&] { kept->revision(); });
        check([&] { kept->buckets(); });
        check([&] { kept->has_bucket(Structure::btree, "b"); });
        check([&] { tree->get("k"); });
        check([&] { tree->iterator(); });
        check([&] { iterator->next(); });
    });
}

// Trap 15: a program that ends while commits are running.
BOOST_AUTO_TEST_CASE(an_event_loop_may_be_destroyed_with_commits_in_every_state)
{
    options.max_pending_bytes = 20000;
    run([this]() -> Task { co_await open(); });
    std::vector<Job> jobs;
    for (int i = 0; i < 20; ++i) {
        jobs.emplace_back(executor(), put(std::to_string(i), 5000));
    }
    jobs.emplace_back(executor(), engine->drain());
    run_until([this] { return functions > 3; });
    destroy();
    BOOST_TEST(!jobs.back().done());
    engine.reset();
}

BOOST_AUTO_TEST_SUITE_END()
