// SPDX-License-Identifier: BSL-1.0
#include "victim.hpp"

#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"

#include <keywatch/keywatch.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <utility>

#include <sys/prctl.h>
#include <unistd.h>

namespace keywatch::test {
namespace {

constexpr const char* child_variable = "KEYWATCH_TEST_CURSOR_CHILD";

Options options_for(const std::string& directory, Durability durability)
{
    Options options{directory};
    options.enable_watch = true;
    options.durability = durability;
    options.write_buffer_bytes = 65536;  // so that logs change often
    options.history.commits = 64;        // the cursor retains what is needed
    return options;
}

/// Creates the bucket "numbers" with the next number, and the bucket "sums" with the sum and count
/// of the numbers so far. The consumer computes the latter from the former.
void prepare(Transaction& tx)
{
    if (!tx.has_bucket(Structure::btree, "numbers")) {
        tx.create_bucket(Structure::btree, "numbers");
        tx.create_bucket(Structure::btree, "sums");
        tx.save_cursor("adder", 0);
    }
}

void put_next(Transaction& tx)
{
    tx.btree("numbers").increment("number");
}

/// Adds each commit once. The sum of 1 to n is known.
asio::awaitable<void> add(Database database, const Commit& commit)
{
    const Revision revision = commit.revision();
    const auto fn = [&](Transaction& tx) {
        for (const Message& message : commit) {
            if (message.operation == Operation::put) {
                tx.btree("sums").increment("count");
                tx.btree("sums").increment("sum", std::stoll(std::string(message.value)));
            }
        }
        tx.save_cursor("adder", revision);
    };
    co_await database.update(fn);
}

Watcher watch(const Database& database)
{
    WatchOptions options;
    options.from = From::cursor("adder");
    options.buffer_messages = 16;
    options.callback_timeout = std::chrono::seconds(30);
    return database.watch(
        "numbers", all(), [database](const Commit& commit) { return add(database, commit); },
        options);
}

void acknowledge(Revision revision)
{
    if (::write(pipe_of_child, &revision, sizeof revision) != sizeof revision) {
        throw std::runtime_error("nobody listens");
    }
}

asio::awaitable<void> work_on(Database database)
{
    co_await database.update(prepare);
    Watcher watcher = watch(database);
    asio::co_spawn(co_await asio::this_coro::executor, watcher.run(), rethrow);
    for (;;) {
        acknowledge(co_await database.update(put_next));
    }
}

/// Makes a few commits, and closes the database while most of them have not been delivered yet.
asio::awaitable<void> work_and_close(Database database, int commits)
{
    co_await database.update(prepare);
    Watcher watcher = watch(database);
    asio::co_spawn(co_await asio::this_coro::executor, watcher.run(), rethrow);
    const Revision waiting = database.head_revision();
    for (int i = 0; i < commits; ++i) {
        acknowledge(co_await database.update(put_next));
    }
    const Revision head = database.head_revision();
    co_await database.close();
    if (watcher.position().revision < std::max(head, waiting)) {
        throw std::runtime_error("closing has not delivered everything");
    }
}

[[noreturn]] void be_child(const std::string& arguments)
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::alarm(60);
    std::istringstream text(arguments);
    std::string directory;
    int durability = 0;
    bool closes = false;
    text >> directory >> durability >> closes;
    const Options options = options_for(directory, static_cast<Durability>(durability));
    try {
        do {
            asio::io_context context(1);
            Database database = Database::open_blocking(context.get_executor(), options);
            const int commits = 1 + static_cast<int>(database.head_revision() % 40);
            asio::co_spawn(context, closes ? work_and_close(database, commits) : work_on(database),
                           rethrow);
            database = Database();
            context.run();
        } while (closes);
    } catch (const std::exception& error) {
        std::cerr << "child: " << error.what() << '\n';
    }
    ::_exit(1);
}

struct BecomeChild {
    BecomeChild()
    {
        if (const char* const arguments = std::getenv(child_variable)) {
            be_child(arguments);
        }
    }
};
BOOST_GLOBAL_FIXTURE(BecomeChild);

std::int64_t number(const Snapshot& snapshot, std::string_view bucket, std::string_view key)
{
    const auto value = snapshot.btree(bucket).get(key);
    return value ? std::stoll(std::string(*value)) : 0;
}

/// The sum must be that of the numbers up to the cursor, whatever was killed.
void check_sum(const Snapshot& snapshot, bool all)
{
    const std::int64_t count = number(snapshot, "sums", "count");
    BOOST_TEST(number(snapshot, "sums", "sum") == count * (count + 1) / 2);
    const std::int64_t numbers = number(snapshot, "numbers", "number");
    BOOST_TEST((all ? count == numbers : count <= numbers));
}

/// Checks what the next process finds, and what it makes of the rest.
asio::awaitable<void> finish(Database database, Revision acknowledged)
{
    BOOST_TEST(database.head_revision() >= acknowledged);
    co_await database.update(prepare);
    co_await database.view([](const Snapshot& snapshot) { check_sum(snapshot, false); });
    Watcher watcher = watch(database);
    asio::co_spawn(co_await asio::this_coro::executor, watcher.run(), rethrow);
    co_await watcher.reached(database.head_revision());
    co_await database.view([](const Snapshot& snapshot) { check_sum(snapshot, true); });
    co_await database.close();
}

void kill_and_look(Durability durability, bool closes, int rounds)
{
    const TemporaryDirectory directory;
    const std::string path = directory / "db";
    std::mt19937_64 random(std::random_device{}());
    Revision most = 0;
    for (int i = 0; i < rounds; ++i) {
        Victim victim(std::string(child_variable) + '=' + path + ' ' +
                      std::to_string(static_cast<int>(durability)) + ' ' +
                      std::to_string(static_cast<int>(closes)));
        using Clock = Victim::Clock;
        victim.listen_for_one(Clock::now() + std::chrono::seconds(30));
        victim.listen(Clock::now() + std::chrono::microseconds(random() % 60'000));
        BOOST_TEST(victim.kill(), "the child died by itself");
        BOOST_TEST(victim.acknowledged() > most);
        most = std::max(most, victim.acknowledged());
        asio::io_context context(1);
        Database database =
            Database::open_blocking(context.get_executor(), options_for(path, durability));
        asio::co_spawn(context, finish(std::move(database), most), rethrow);
        context.run_for(std::chrono::minutes(1));
        BOOST_TEST(context.stopped());
    }
}

}  // namespace

// A consumer with a cursor in a process that is killed.
BOOST_AUTO_TEST_SUITE(test_cursor_kill)

BOOST_AUTO_TEST_CASE(a_killed_consumer_has_counted_each_commit_once_synced)  // W2 W6
{
    kill_and_look(Durability::sync, false, 6);
}

BOOST_AUTO_TEST_CASE(a_killed_consumer_has_counted_each_commit_once_buffered)  // W2 W6
{
    kill_and_look(Durability::buffered, false, 6);
}

BOOST_AUTO_TEST_CASE(a_consumer_killed_around_closing_has_counted_each_commit_once)  // W2 W6 W13
{
    kill_and_look(Durability::sync, true, 4);
    kill_and_look(Durability::buffered, true, 6);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keywatch::test
