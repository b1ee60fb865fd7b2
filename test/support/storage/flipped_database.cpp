// SPDX-License-Identifier: BSL-1.0
#include "flipped_database.hpp"

#include "handles/database_state.hpp"

#include "support/model/model_steps.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <iterator>
#include <utility>

namespace keywatch::test {

namespace {

using namespace std::chrono_literals;

constexpr const char* bulk = "bulk";
constexpr const char* added = "added";

std::string numbered(int number)
{
    std::string digits = std::to_string(number);
    return std::string(6 - digits.size(), '0') + digits;
}

std::string describe_cursors(const Snapshot& snapshot)
{
    std::string text;
    for (const Cursor& cursor : snapshot.cursors()) {
        text += "cursor " + cursor.name + ' ' + std::to_string(cursor.position.revision) + '\n';
    }
    return text;
}

/// Returns the contents without the bucket that was added to test that writing works.
std::string original_part(ModelState state)
{
    state.btrees.erase(added);
    return describe(state);
}

std::string full_line(const Message& message)
{
    return line_of(message) + ' ' + std::string(message.bucket) + ' ' + std::string(message.origin);
}

Database open(const asio::any_io_executor& executor, const Options& options, PowerLossEnv& disk)
{
    return Database(DatabaseState::open_blocking(executor, options, &disk));
}

}  // namespace

KnownDatabase::KnownDatabase(std::uint64_t seed) : random_(seed)
{
    EventLoop loop;
    loop.run([&]() -> Task {
        Database db = open(loop.executor(), options(), disk_);
        co_await make_tables(db);
        co_await db.close();
    });
    loop.run([&]() -> Task {
        Database db = open(loop.executor(), options(), disk_);
        co_await make_logs(db);
        co_await db.close();
    });
}

Options KnownDatabase::options() const
{
    Options options("/db");
    options.enable_watch = true;
    options.previous_values = true;
    options.write_buffer_bytes = std::size_t{64} << 10;
    options.clock = clock_.clock();
    return options;
}

Task KnownDatabase::change(Database db)
{
    model_.remove_expired(clock_.now());
    const auto some = [&](Transaction& tx) {
        tx.set_origin("op:" + std::to_string(random_() % 1000));
        ModelSteps steps(tx, model_, clock_.now(), random_);
        for (int i = 0; i < 5; ++i) {
            steps.step();
        }
    };
    co_await db.update(some);
}

Task KnownDatabase::make_tables(Database db)
{
    const auto create = [](Transaction& tx) { tx.create_bucket(Structure::btree, bulk); };
    co_await db.update(create);
    for (int i = 0; i < 60; ++i) {
        clock_.advance(1ms * (random_() % 20));
        co_await change(db);
        const auto put = [&](Transaction& tx) {
            for (int n = 0; n < 8; ++n) {
                const int key = static_cast<int>(random_() % 400);
                tx.btree(bulk).put(numbered(key), std::string(300, static_cast<char>(random_())));
            }
        };
        const Revision revision = co_await db.update(put);
        if (i % 10 == 0) {
            const auto save = [&](Transaction& tx) {
                tx.save_cursor("c" + std::to_string(i), revision);
            };
            co_await db.update(save);
        }
    }
}

/// The clock does not advance, so that everything remembered can be read again later.
Task KnownDatabase::make_logs(Database db)
{
    disk_.hold_background();
    for (int i = 0; logs() < 2; ++i) {
        const auto put = [&](Transaction& tx) {
            tx.btree(bulk).put(numbered(i), std::string(4000, 'n'));
        };
        co_await db.update(put);
        co_await remember(db);
        co_await change(db);
        co_await remember(db);
    }
    for (int i = 0; i < 12; ++i) {
        co_await change(db);
        co_await remember(db);
    }
    image_ = disk_.survivors(Survival::everything());
    disk_.release_background();
    co_await read_history(db, history_);
    for (const std::string& line : history_) {
        revisions_.push_back(std::stoull(line));
    }
}

Task KnownDatabase::remember(Database db)
{
    states_[db.head_revision()] = co_await read(db, clock_.now());
}

std::size_t KnownDatabase::logs() const
{
    const auto contents = disk_.contents();
    return static_cast<std::size_t>(std::ranges::count_if(
        contents, [](const auto& file) { return file.first.ends_with(".log"); }));
}

const std::string* KnownDatabase::state(Revision head) const
{
    const auto next = states_.upper_bound(head);  // sweeps in between do not change a view
    return next != states_.begin() ? &std::prev(next)->second : nullptr;
}

std::size_t KnownDatabase::history_through(Revision revision) const
{
    return static_cast<std::size_t>(std::ranges::upper_bound(revisions_, revision) -
                                    revisions_.begin());
}

asio::awaitable<std::string> KnownDatabase::read(Database db, Time now)
{
    const auto all = [now](const Snapshot& snapshot) {
        return original_part(read_state(snapshot, now)) + describe_cursors(snapshot);
    };
    std::string text = co_await db.view(all);
    co_return text;
}

Task KnownDatabase::read_history(Database db, std::vector<std::string>& lines)
{
    WatchOptions options;
    options.from = From::oldest();
    options.callback_timeout = 10 * patience;
    Watcher watcher = db.watch(
        whole_database(), [&lines](const Message& message) { lines.push_back(full_line(message)); },
        options);
    // Errors are reported by reached().
    asio::co_spawn(co_await asio::this_coro::executor, watcher.run(),
                   [](std::exception_ptr, const WatchEnd&) {});
    std::exception_ptr error;
    try {
        co_await watcher.reached(db.head_revision());
    } catch (...) {
        error = std::current_exception();
    }
    co_await watcher.stop();
    if (error) {
        std::rethrow_exception(error);
    }
}

DamagedUse::DamagedUse(const KnownDatabase& original, PowerLossEnv& disk, std::set<Error> refusals,
                       bool may_end_early)
    : original_(original),
      disk_(disk),
      refusals_(std::move(refusals)),
      may_end_early_(may_end_early)
{
}

void DamagedUse::fail(const std::string& what)
{
    wrong_ += what + "; ";
}

/// If something is refused as damaged, then the rest is tried nevertheless.
template <class Use>
Task DamagedUse::attempt(const char* what, Use use)
{
    try {
        co_await use();
    } catch (const boost::system::system_error& error) {
        noticed_ = true;
        if (error.code() != Error::damaged) {
            fail(std::string(what) + ": " + error.what());
        }
    }
}

std::string DamagedUse::run()
{
    for (const bool first : {true, false}) {
        EventLoop loop;
        try {
            loop.run([&]() -> Task {
                Database db = open(loop.executor(), original_.options(), disk_);
                co_await live(db, first);
                co_await attempt("close", [&] { return db.close(); });
            });
        } catch (const boost::system::system_error& error) {
            noticed_ = true;
            if (std::ranges::none_of(refusals_, [&](Error each) { return error.code() == each; })) {
                fail(std::string("open: ") + error.what());
            }
        }
    }
    return wrong_;
}

Task DamagedUse::live(Database db, bool first)
{
    if (!head_) {
        head_ = db.head_revision();
        if (*head_ < original_.head() && (!may_end_early_ || !original_.state(*head_))) {
            fail("opened at revision " + std::to_string(*head_));
            co_return;
        }
    }
    co_await attempt("view", [&] { return check_state(db); });
    co_await attempt("watch", [&] { return check_history(db); });
    const auto lags = [&]() -> Task { co_await db.cursors(); };
    co_await attempt("cursors", lags);
    if (first) {
        co_await attempt("commit", [&] { return commit(db); });
        co_await attempt("view after commits", [&] { return check_state(db); });
    }
}

Task DamagedUse::check_state(Database db)
{
    const std::string found = co_await KnownDatabase::read(db, original_.now());
    if (found != *original_.state(*head_)) {
        fail("a view shows something else");
    }
    const auto count = [](const Snapshot& snapshot) {
        int keys = 0;
        if (snapshot.has_bucket(Structure::btree, added)) {
            for (const auto [key, value] : snapshot.btree(added).scan()) {
                keys += value.size() == 3000 ? 1 : 0;
            }
        }
        return keys;
    };
    const int keys = co_await db.view(count);
    if (keys < committed_) {
        fail("a view lacks a commit");
    }
}

Task DamagedUse::check_history(Database db)
{
    std::vector<std::string> lines;
    std::exception_ptr error;
    try {
        co_await KnownDatabase::read_history(db, lines);
    } catch (...) {
        error = std::current_exception();
    }
    const std::vector<std::string>& expected = original_.history();
    const std::size_t through = original_.history_through(*head_);
    const std::size_t given = std::min(lines.size(), through);
    if (!std::equal(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(given),
                    expected.begin())) {
        fail("a watch is given something else");
    }
    if (error) {
        std::rethrow_exception(error);
    }
    if (given < through) {
        fail("a watch is not given all");
    }
}

/// Commits so much that everything is compacted.
Task DamagedUse::commit(Database db)
{
    const auto create = [](Transaction& tx) { tx.create_bucket(Structure::btree, added); };
    co_await db.update(create);
    for (int i = 0; i < 120; ++i) {
        const auto put = [i](Transaction& tx) {
            tx.btree(added).put(numbered(i), std::string(3000, 'a'));
        };
        co_await db.update(put);
        ++committed_;
    }
}

}  // namespace keywatch::test
