// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/process/workload.hpp"
#include "support/storage/gated_stream.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/storage/whole_database.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <ios>
#include <iostream>
#include <optional>
#include <random>
#include <sstream>
#include <thread>

using namespace keywatch;
using namespace keywatch::test;

namespace {

Options busy_options(std::string location, Durability durability)
{
    Options options = watched_options(std::move(location));
    options.write_buffer_bytes = 65536;  // so that logs and tables change often
    options.durability = durability;
    return options;
}

/// Commits until `stop` is set.
Task work(Database db, Workload workload, const bool& stop)
{
    const auto transaction = [&](Transaction& tx) { workload.run(tx); };
    while (!stop) {
        co_await db.update(transaction);
    }
}

asio::awaitable<Revision> backup_by_stream(Database db, std::string directory)
{
    std::stringstream stream;
    const Revision revision = co_await db.backup(stream);
    BOOST_TEST(restore_blocking(stream, directory) == revision);
    co_return revision;
}

asio::awaitable<Revision> backup_to_directory(Database db, std::string directory)
{
    return db.backup(std::move(directory));
}

/// Checks that a backup contains the first commits of the workload, up to its revision.
Task check_copy(std::string directory, Revision revision, Workload workload, HistoryId history)
{
    Database copy = co_await open_database(watched_options(directory));
    const WholeDatabase whole = co_await read_whole(copy);
    BOOST_TEST(whole.head == revision);
    BOOST_TEST(wrong_with(whole, workload) == "");
    BOOST_TEST(copy.head_position().history == history);
    // The backup can be written to.
    const auto transaction = [&](Transaction& tx) { workload.run(tx); };
    BOOST_TEST(co_await copy.update(transaction) == revision + 1);
    co_await copy.close();
}

/// Makes a backup while writers commit, which stop when it is complete, so that on a slow machine
/// the next backup is not larger. Increments `busy` if commits were made in the meantime.
asio::awaitable<Revision> back_up_beside_writers(Database db, Workload workload,
                                                 std::string directory, bool by_stream, int& busy)
{
    bool stop = false;
    std::vector<Job> writers;
    for (int i = 0; i < 4; ++i) {
        writers.push_back(co_await spawn(work(db, workload, stop)));
    }
    const Revision before = db.head_revision();
    co_await until([&] { return db.head_revision() > before; });
    const Revision head = db.head_revision();
    const auto way = by_stream ? &backup_by_stream : &backup_to_directory;
    const Revision revision = co_await way(db, std::move(directory));
    BOOST_TEST(revision >= head);
    busy += db.head_revision() > head ? 1 : 0;
    stop = true;
    for (const Job& each : writers) {
        co_await each.join();
    }
    co_return revision;
}

Task back_up_while_busy(Options options, std::uint64_t seed, int backups)
{
    TemporaryDirectory directory;
    const Workload workload(seed, 400);
    Database db = co_await open_database(options);
    int busy = 0;
    for (int i = 0; i < backups; ++i) {
        const std::string copy = directory / std::to_string(i);
        const Revision revision =
            co_await back_up_beside_writers(db, workload, copy, i % 2 == 0, busy);
        co_await check_copy(copy, revision, workload, db.head_position().history);
        std::filesystem::remove_all(copy);
    }
    BOOST_TEST(busy > 0);
    BOOST_TEST((db.oldest_revision() > 1U) == (db.head_revision() > options.history.commits));
    co_await db.close();
}

/// Returns KEYWATCH_SEED, or a random seed. Prints it, so that it can be used again.
std::uint64_t new_seed()
{
    const char* const given = std::getenv("KEYWATCH_SEED");
    const std::uint64_t seed =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::cerr << "KEYWATCH_SEED=" << seed << '\n';
    return seed;
}

Task back_up_to(Database db, std::ostream& out)
{
    co_await db.backup(out);
}

Task back_up_to(Database db, std::string directory)
{
    co_await db.backup(std::move(directory));
}

}  // namespace

// `Database::backup` while the database is used, and restoring.
BOOST_FIXTURE_TEST_SUITE(test_backup, EventLoop)

BOOST_AUTO_TEST_CASE(a_backup_of_a_busy_database_is_a_prefix_of_its_commits)
{
    run([seed = new_seed()]() -> Task {
        for (const Durability durability : {Durability::buffered, Durability::sync}) {
            TemporaryDirectory directory;
            co_await back_up_while_busy(busy_options(directory / "db", durability), seed, 16);
        }
    });
}

BOOST_AUTO_TEST_CASE(a_database_in_memory_is_backed_up_to_disk)
{
    run([seed = new_seed()]() -> Task {
        co_await back_up_while_busy(busy_options("memory:", Durability::sync), seed, 16);
    });
}

// Trimming is active: the rest of history belongs to the data.
BOOST_AUTO_TEST_CASE(a_backup_contains_the_whole_history)
{
    run([seed = new_seed()]() -> Task {
        Options options = busy_options("memory:", Durability::buffered);
        options.history.commits = 50;
        co_await back_up_while_busy(options, seed, 16);
    });
}

BOOST_AUTO_TEST_CASE(a_database_without_history_is_backed_up)
{
    run([]() -> Task {
        TemporaryDirectory directory;
        Database db = co_await open_with(Options("memory:"), "b");
        co_await put_many(db, "b", 20);
        const Revision revision = co_await db.backup(directory / "copy");
        BOOST_TEST(revision == 21U);
        co_await db.close();
        Database copy = co_await open_database(Options(directory / "copy"));
        BOOST_TEST(copy.head_revision() == 21U);
        BOOST_TEST(copy.oldest_revision() == 22U);
        BOOST_TEST(co_await get(copy, "b", "k19") == "19");
        co_await copy.close();
    });
}

BOOST_AUTO_TEST_CASE(an_empty_database_is_backed_up)
{
    run([]() -> Task {
        TemporaryDirectory directory;
        Database db = co_await open_database(watched_options());
        BOOST_TEST(co_await backup_by_stream(db, directory / "copy") == 0U);
        const HistoryId history = db.head_position().history;
        co_await db.close();
        Database copy = co_await open_database(watched_options(directory / "copy"));
        BOOST_TEST(copy.head_position() == (Position{history, 0}));
        co_await copy.close();
    });
}

BOOST_AUTO_TEST_CASE(a_watcher_resumes_on_a_restored_copy)
{
    run([]() -> Task {
        TemporaryDirectory directory;
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 3);
        const Position position = db.head_position();
        co_await put_many(db, "b", 2, 3);
        co_await backup_by_stream(db, directory / "copy");
        const auto expected = co_await history_of(db, "b", all(), From::after(position));
        co_await put_many(db, "b", 1, 5);
        const Position ahead = db.head_position();
        co_await db.close();
        Database copy = co_await open_database(watched_options(directory / "copy"));
        BOOST_TEST(co_await history_of(copy, "b", all(), From::after(position)) == expected);
        BOOST_TEST(expected.size() == 2U);
        BOOST_TEST(failure_of([&] {
                       copy.watch(
                           "b", all(), [](const Message&) {}, watch_from(From::after(ahead)));
                   }) == code(Error::position_ahead));
        co_await copy.close();
    });
}

// One backup waits for the other; both are complete.
BOOST_AUTO_TEST_CASE(two_backups_at_once)
{
    run([]() -> Task {
        TemporaryDirectory directory;
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 5);
        GatedStream first;
        const Job slow = co_await spawn(back_up_to(db, first.out()));
        co_await until([&] { return first.reached(); });
        const Job other = co_await spawn(back_up_to(db, directory / "copy"));
        co_await put_many(db, "b", 5);
        BOOST_TEST(!slow.done());
        BOOST_TEST(!other.done());
        first.open();
        co_await slow.join();
        co_await other.join();
        Database copy = co_await open_database(watched_options(directory / "copy"));
        BOOST_TEST(copy.head_revision() == 11U);
        co_await copy.close();
        co_await db.close();
    });
}

// A backup delays neither writers, views nor watchers that catch up, however long it takes.
BOOST_AUTO_TEST_CASE(everything_continues_during_a_backup)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        GatedStream stream;
        const Job backup = co_await spawn(back_up_to(db, stream.out()));
        co_await until([&] { return stream.reached(); });
        co_await put_many(db, "b", 50);
        BOOST_TEST(co_await get(db, "b", "k49") == "49");
        const auto lines = co_await history_of(db, "b", all(), From::revision(1));
        BOOST_TEST(lines.size() == 51U);
        BOOST_TEST(!backup.done());
        stream.open();
        co_await backup.join();
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(closing_ends_a_backup)
{
    run([]() -> Task {
        TemporaryDirectory directory;
        Database db = co_await open_with("b");
        GatedStream stream;
        const auto close = [](Database database) -> Task { co_await database.close(); };
        const Job begun = co_await spawn(back_up_to(db, stream.out()));
        const Job queued = co_await spawn(back_up_to(db, directory / "copy"));
        co_await until([&] { return stream.reached(); });
        const Job closing = co_await spawn(close(db));
        BOOST_TEST(co_await failure_of(back_up_to(db, directory / "late")) == code(Error::closed));
        stream.open();
        // The backup may or may not finish before, depending on timing.
        const auto error = co_await failure_of(begun.join());
        BOOST_TEST((!error || error == code(Error::closed)));
        const auto error_of_queued = co_await failure_of(queued.join());
        BOOST_TEST((!error_of_queued || error_of_queued == code(Error::closed)));
        BOOST_TEST(std::filesystem::exists(directory / "copy") == !error_of_queued);
        BOOST_TEST(!std::filesystem::exists(directory / "late"));
        co_await closing.join();
        BOOST_TEST(co_await failure_of(back_up_to(db, directory / "later")) == code(Error::closed));
    });
}

BOOST_AUTO_TEST_CASE(a_cancelled_backup_leaves_nothing)
{
    run([]() -> Task {
        TemporaryDirectory directory;
        Database db = co_await open_with("b");
        GatedStream stream;
        const Job begun = co_await spawn(back_up_to(db, stream.out()));
        const Job queued = co_await spawn(back_up_to(db, directory / "copy"));
        co_await until([&] { return stream.reached(); });
        begun.cancel();
        queued.cancel();
        stream.open();
        BOOST_TEST(co_await failure_of(begun.join()) == asio::error::operation_aborted);
        BOOST_TEST(co_await failure_of(queued.join()) == asio::error::operation_aborted);
        BOOST_TEST(!std::filesystem::exists(directory / "copy"));
        co_await put_many(db, "b", 3);
        co_await db.backup(directory / "copy");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(the_event_loop_may_be_destroyed_during_backups)
{
    TemporaryDirectory directory;
    GatedStream stream;
    asio::any_io_executor executor = this->executor();
    std::optional<Job> opened;
    const auto main = [&]() -> Task {
        Database db = co_await open_with("b");
        co_await spawn(back_up_to(db, stream.out()));
        co_await back_up_to(db, directory / "copy");
    };
    opened.emplace(executor, main());
    run_until([&] { return stream.reached(); });
    executor = asio::any_io_executor();
    std::thread opener([&] { stream.open(); });
    destroy();
    opener.join();
    BOOST_TEST(!opened->done());
}

BOOST_AUTO_TEST_CASE(a_place_that_cannot_be_written_is_an_error)
{
    run([]() -> Task {
        TemporaryDirectory directory;
        Database db = co_await open_with("b");
        write_file(directory / "file", "x");
        const auto before = files_below(directory.path());
        for (const std::string& place :
             {directory.path().string(), directory / "file", directory / "no/such/parent"}) {
            BOOST_TEST(co_await failure_of(back_up_to(db, place)) == code(Error::backup_failed));
        }
        for (const char* place : {"", "memory:"}) {
            BOOST_TEST(co_await failure_of(back_up_to(db, std::string(place))) ==
                       code(Error::invalid_option));
        }
        std::ofstream full("/dev/full", std::ios::binary);
        BOOST_TEST(co_await failure_of(back_up_to(db, full)) == code(Error::backup_failed));
        std::ostringstream closed;
        closed.setstate(std::ios::badbit);
        BOOST_TEST(co_await failure_of(back_up_to(db, closed)) == code(Error::backup_failed));
        BOOST_TEST(files_below(directory.path()) == before);
        BOOST_TEST(co_await put(db, "b", "k", "1") == 2U);
        BOOST_TEST(co_await failure_of(back_up_to(Database(), closed)) == code(Error::closed));
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(the_exception_of_the_stream_is_rethrown)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        std::ofstream full("/dev/full", std::ios::binary);
        full.exceptions(std::ios::badbit | std::ios::failbit);
        BOOST_CHECK_THROW(co_await back_up_to(db, full), std::ios_base::failure);
        full.exceptions(std::ios::goodbit);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(restoring_refuses_invalid_arguments)
{
    TemporaryDirectory directory;
    std::string bytes;
    run([&]() -> Task {
        Database db = co_await open_with("b");
        std::ostringstream out;
        co_await db.backup(out);
        bytes = out.str();
        co_await db.close();
    });
    const auto restore = [](const std::string& from, const std::string& to) {
        std::istringstream in(from);
        return failure_of([&] { restore_blocking(in, to); });
    };
    BOOST_TEST(!restore(bytes, directory / "copy"));
    const auto before = files_below(directory.path());
    BOOST_TEST(restore(bytes, directory / "copy") == code(Error::backup_failed));
    BOOST_TEST(restore(bytes, directory / "no/parent") == code(Error::backup_failed));
    BOOST_TEST(restore(bytes, "") == code(Error::invalid_option));
    const std::string half = bytes.substr(0, bytes.size() / 2);
    BOOST_TEST(restore(half, directory / "other") == code(Error::damaged));
    BOOST_TEST(restore("no backup", directory / "other") == code(Error::not_a_database));
    BOOST_TEST(files_below(directory.path()) == before);
}

BOOST_AUTO_TEST_SUITE_END()
