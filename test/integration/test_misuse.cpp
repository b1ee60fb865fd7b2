// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <map>
#include <optional>
#include <ranges>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <variant>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

// Code that must not compile. A test cannot check a static_assert of the library, so its condition
// is checked here.
template <class W>
concept runs_on_a_temporary = requires(W&& watcher) { std::forward<W>(watcher).run(); };
static_assert(runs_on_a_temporary<Watcher&>);
static_assert(!runs_on_a_temporary<Watcher>);

// g++ 12 would destroy aggregates twice in a co_await expression.
static_assert(!std::is_aggregate_v<Options>);
static_assert(!std::is_aggregate_v<WatchOptions>);
static_assert(!std::is_aggregate_v<HistoryLimits>);

// A function that owns its captures must be named there; [&] need not be.
using Owning = decltype([text = std::string()](Transaction&) { (void)text; });
using Plain = decltype([](Transaction&) {});
static_assert(detail::safe_in_co_await<Owning&>());
static_assert(detail::safe_in_co_await<Plain>());
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
static_assert(!detail::safe_in_co_await<Owning>());
#endif

// Bytes of a transaction must not leave it.
template <class... Types>
constexpr bool all_escape = (detail::Escapes<Types>::value && ...);
template <class... Types>
constexpr bool none_escapes = (!detail::Escapes<Types>::value && ...);
using View = std::string_view;
using Members = Range<ScoredMember>;
static_assert(all_escape<View, std::span<const int>, const char*, const std::string&, int&&>);
static_assert(all_escape<std::optional<View>, std::pair<int, View>, std::tuple<View, int>,
                         std::vector<View>, std::array<View, 2>, std::variant<int, View>,
                         std::map<std::string, View>, std::vector<std::optional<View>>>);
static_assert(all_escape<Transaction, Snapshot*, BTree, const SetView, List, std::vector<SortedSet>,
                         std::shared_ptr<BTreeView>>);
static_assert(all_escape<BTreeRange, BTreeRange::Iterator, BTreeIterator, Members,
                         Members::Iterator, Range<View>::Iterator, ScoredMember>);
static_assert(all_escape<decltype(std::declval<Members>() | std::views::take(1))>);
static_assert(all_escape<std::optional<asio::awaitable<int>>>);
struct Unknown;
static_assert(none_escapes<void, int, std::string, std::vector<std::string>, Position,
                           std::optional<std::chrono::milliseconds>, std::vector<Bucket>,
                           std::map<std::string, std::vector<std::pair<std::string, double>>>,
                           std::shared_ptr<Unknown>, std::unique_ptr<int>, std::function<void()>,
                           Unknown*, std::array<int, 2>, std::vector<int>::iterator>);

// A snapshot cannot write, and views are created by a transaction only.
template <class T>
concept can_write = requires(T& object) { object.create_bucket(Structure::btree, "b"); };
static_assert(can_write<Transaction>);
static_assert(!can_write<Snapshot>);
template <class T>
concept can_put = requires(T& object) { object.put("k", "v"); };
static_assert(can_put<BTree>);
static_assert(!can_put<BTreeView>);
static_assert(!std::is_default_constructible_v<Watcher>);

boost::system::error_code open_error(const asio::any_io_executor& executor, const Options& options)
{
    return failure_of([&] { Database::open_blocking(executor, options); });
}

boost::system::error_code watch_error(const Database& db, const WatchOptions& options)
{
    return failure_of([&] { db.watch("b", all(), Recorder(), options); });
}

}  // namespace

// Invalid options and watches, and what is refused.
BOOST_FIXTURE_TEST_SUITE(test_misuse, EventLoop)

BOOST_AUTO_TEST_CASE(invalid_options_are_refused)
{
    using Change = void (*)(Options&);
    const std::vector<Change> changes{
        [](Options& o) { o.location.clear(); },
        [](Options& o) { o.max_transaction_bytes = 0; },
        [](Options& o) { o.max_pending_bytes = 0; },
        [](Options& o) { o.cache_bytes = 0; },
        [](Options& o) { o.write_buffer_bytes = 1; },
        [](Options& o) { o.hub_messages = 0; },
        [](Options& o) { o.hub_bytes = 0; },
        [](Options& o) { o.distribute_batches = 0; },
        [](Options& o) { o.batch_messages = 0; },
        [](Options& o) { o.distribute_bytes = 0; },
        [](Options& o) { o.victim_sets = 0; },
        [](Options& o) { o.history.age = 0s; },
        [](Options& o) { o.history.age = -1s; },
        [](Options& o) { o.history.bytes = 0; },
        [](Options& o) { o.history.commits = 0; },
        [](Options& o) { o.history.hard_bytes = 0; },
    };
    for (const Change change : changes) {
        Options options = watched_options();
        change(options);
        BOOST_TEST(open_error(executor(), options) == code(Error::invalid_option));
    }
}

BOOST_AUTO_TEST_CASE(a_database_that_cannot_be_opened_is_refused_and_unchanged)
{
    const TemporaryDirectory directory;
    write_file(directory / "file", "not a directory");
    std::filesystem::create_directory(directory / "foreign");
    write_file(directory / "foreign/note.txt", "mine");
    const auto before = files_below(directory.path());
    Options options = watched_options(directory / "missing");
    options.create_if_missing = false;
    BOOST_TEST(open_error(executor(), options) == code(Error::open_failed));
    options = watched_options(directory / "no/parent");
    BOOST_TEST(open_error(executor(), options) == code(Error::open_failed));
    options = watched_options(directory / "foreign");
    BOOST_TEST(open_error(executor(), options) == code(Error::not_a_database));
    options = watched_options(directory / "file");
    BOOST_TEST(!!open_error(executor(), options));
    BOOST_TEST(files_below(directory.path()) == before);
}

// Same through the event loop. The first handle is not affected.
BOOST_AUTO_TEST_CASE(a_database_is_open_once)
{
    const TemporaryDirectory directory;
    run([&]() -> Task {
        Database db = co_await open_with(watched_options(directory / "db"), "b");
        const auto error = co_await failure_of([](Options options) -> Task {
            co_await Database::open(std::move(options));
        }(watched_options(directory / "db")));
        BOOST_TEST(error == code(Error::locked));
        co_await put(db, "b", "k", "1");
        co_await db.close();
        Database again = co_await open_database(watched_options(directory / "db"));
        BOOST_TEST(co_await get(again, "b", "k") == "1");
        co_await again.close();
    });
}

BOOST_AUTO_TEST_CASE(invalid_watches_are_refused)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const auto watch = [&](std::string_view bucket, const Selector& selector) {
            return failure_of([&] { db.watch(bucket, selector, Recorder()); });
        };
        BOOST_TEST(watch("", all()) == code(Error::invalid_name));
        BOOST_TEST(watch(std::string(65'536, 'b'), all()) == code(Error::invalid_name));
        BOOST_TEST(!watch(std::string(65'535, 'b'), all()));
        BOOST_TEST(watch("b", key("")) == code(Error::empty_key));
        BOOST_TEST(!watch("not there yet", all()));
        const auto invalid = code(Error::invalid_option);
        WatchOptions options;
        options.callback_timeout = 0ms;
        BOOST_TEST(watch_error(db, options) == invalid);
        options.callback_timeout = -1ms;
        BOOST_TEST(watch_error(db, options) == invalid);
        options = WatchOptions();
        options.buffer_messages = 0;
        BOOST_TEST(watch_error(db, options) == invalid);
        options = WatchOptions();
        options.buffer_bytes = 0;
        BOOST_TEST(watch_error(db, options) == invalid);
        options = WatchOptions();
        options.callback_timeout = std::chrono::milliseconds::max();
        BOOST_TEST(!watch_error(db, options));
        co_await db.close();
        BOOST_TEST(watch("b", all()) == code(Error::closed));
    });
}

BOOST_AUTO_TEST_CASE(without_history_there_is_nothing_to_watch)
{
    run([]() -> Task {
        Options options("memory:");
        Database db = co_await open_with(options, "b");
        BOOST_TEST(watch_error(db, WatchOptions()) == code(Error::watch_disabled));
        BOOST_TEST(co_await put(db, "b", "k", "1") == 2U);
        BOOST_TEST(co_await get(db, "b", "k") == "1");
        BOOST_TEST(db.head_revision() == 2U);
        co_await db.close();
    });
}

// One run() per watch, even after the first one has ended. The first one is not affected.
BOOST_AUTO_TEST_CASE(a_second_run_is_refused)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder);
        const Run first = co_await start(watcher);
        const auto second = [](Watcher copy) -> Task { co_await copy.run(); };
        BOOST_TEST(co_await failure_of(second(watcher)) == code(Error::already_running));
        const Revision revision = co_await put(db, "b", "k", "1");
        co_await watcher.reached(revision);
        BOOST_TEST(recorder.size() == 1U);
        co_await watcher.stop();
        co_await first.end();
        BOOST_TEST(co_await failure_of(second(watcher)) == code(Error::already_running));
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(waiting_to_be_ready_has_its_own_errors)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        Watcher watcher = db.watch("b", all(), Recorder());
        BOOST_TEST(co_await failure_of(watcher.wait_ready(0ms)) == code(Error::invalid_option));
        BOOST_TEST(co_await failure_of(watcher.wait_ready(1ms)) == code(Error::ready_timeout));
        BOOST_TEST(co_await failure_of(db.close(-1ms)) == code(Error::invalid_option));
        BOOST_TEST(watcher.id() == 1U);
        WatchOptions options;
        options.name = "second";
        Watcher second = db.watch("b", all(), Recorder(), options);
        BOOST_TEST(second.id() == 2U);
        BOOST_TEST(second.name() == "second");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_handle_to_nothing_is_closed)
{
    run([]() -> Task {
        Database db;
        const auto closed = code(Error::closed);
        BOOST_TEST(failure_of([&] { (void)db.head_revision(); }) == closed);
        BOOST_TEST(watch_error(db, WatchOptions()) == closed);
        BOOST_TEST(co_await failure_of(db.close()) == closed);
        const auto update = [](Database none) -> Task { co_await put(none, "b", "k", "1"); };
        BOOST_TEST(co_await failure_of(update(db)) == closed);
    });
}

BOOST_AUTO_TEST_SUITE_END()
