// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <limits>
#include <sstream>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::string_literals;

namespace {

const std::string binary = "\0\xff*\n\x80"s;
const std::string longest_name(65'535, 'n');
const std::string too_long_name(65'536, 'n');

template <class T>
Task ignore(asio::awaitable<T> operation)
{
    (void)co_await std::move(operation);
}

using Change = std::function<void(Transaction&)>;

Task update(Database db, Change change)
{
    co_await db.update(change);
}

Task add(BulkWriter& writer, std::string bucket, std::string key, std::string value)
{
    co_await writer.put(bucket, key, value);
}

Task flush(BulkWriter& writer)
{
    co_await writer.flush();
}

/// Returns all operations that write a value, each for an existing key `k` in bucket `b`.
std::vector<Change> writes_of(const std::string& value)
{
    return {
        [=](Transaction& tx) { tx.btree("b").put("k", value); },
        [=](Transaction& tx) { tx.btree("b").put_many({{"k", value}}); },
        [=](Transaction& tx) { tx.btree("b").put_if_absent("none", value); },
        [=](Transaction& tx) { tx.btree("b").put_if_present("k", value); },
        [=](Transaction& tx) { tx.btree("b").exchange("k", value); },
        [=](Transaction& tx) { tx.btree("b").append("k", value); },
        [=](Transaction& tx) { tx.btree("b").set_bit("k", value.size() * 8, true); },
        [=](Transaction& tx) { tx.btree("b").put(value, "v"); },
        [=](Transaction& tx) { tx.btree("b").increment(value); },
    };
}

Options with_limit(std::string location, std::size_t bytes)
{
    Options options = watched_options(std::move(location));
    options.max_transaction_bytes = bytes;
    return options;
}

}  // namespace

// Arguments that are empty, huge or binary, and data that is used after its function.
BOOST_FIXTURE_TEST_SUITE(test_misuse_data, EventLoop)

BOOST_AUTO_TEST_CASE(names_up_to_their_limit_work_everywhere)
{
    run([]() -> Task {
        Database db = co_await open_with(longest_name);
        const Recorder recorder;
        Watcher watcher = db.watch(longest_name, all(), recorder);
        const Run running = co_await start(watcher);
        const Change originated = [](Transaction& tx) {
            tx.set_origin(longest_name);
            tx.btree(longest_name).put("k", "1");
        };
        co_await db.update(originated);
        co_await db.increment(longest_name, "k");
        BulkWriterOptions options;
        options.origin = longest_name;
        BulkWriter writer = db.bulk_writer(options);
        co_await add(writer, longest_name, "l", "3");
        co_await watcher.reached(co_await writer.flush());
        BOOST_TEST(co_await db.get(longest_name, "k") == "2");
        BOOST_TEST(recorder.size() == 3U);
        for (const OwnedMessage& each : recorder.messages()) {
            BOOST_TEST(each->bucket == longest_name);
        }
        BOOST_TEST(recorder.messages().front()->origin == longest_name);
        BOOST_TEST(recorder.messages().back()->origin == longest_name);
        co_await db.close();
    });
}

// An invalid name is not found if it is only looked up.
BOOST_AUTO_TEST_CASE(names_that_are_empty_or_too_long_are_refused_or_not_found)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const auto missing = code(Error::bucket_not_found);
        const auto invalid = code(Error::invalid_name);
        for (const std::string& name : {""s, too_long_name}) {
            BOOST_TEST(co_await failure_of(ignore(db.get(name, "k"))) == missing);
            BOOST_TEST(co_await failure_of(ignore(db.put(name, "k", "v"))) == missing);
            BOOST_TEST(failure_of([&] { db.watch(name, all()); }) == invalid);
            const Change look = [&](Transaction& tx) {
                BOOST_TEST(!tx.has_bucket(Structure::btree, name));
                BOOST_TEST(failure_of([&] { tx.btree(name); }) == missing);
                BOOST_TEST(failure_of([&] { tx.delete_bucket(Structure::btree, name); }) ==
                           missing);
                BOOST_TEST(failure_of([&] { tx.create_bucket(Structure::btree, name); }) ==
                           invalid);
                BOOST_TEST(tx.buckets(name).empty());
            };
            co_await db.update(look);
        }
        BulkWriterOptions options;
        options.origin = too_long_name;
        BOOST_TEST(failure_of([&] { db.bulk_writer(options); }) == invalid);
        BOOST_TEST(db.head_revision() == 1U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(names_and_keys_of_any_bytes_go_through_watches_bulk_writers_and_patterns)
{
    run([]() -> Task {
        Database db = co_await open_with(binary);
        co_await create(db, "\xff\xfe");
        const Recorder recorder;
        WatchOptions named;
        named.name = binary;
        Watcher watcher = db.watch(binary, key(binary), recorder, named);
        BOOST_TEST(watcher.name() == binary);
        const Run running = co_await start(watcher);
        BulkWriter writer = db.bulk_writer();
        co_await add(writer, binary, binary, binary);
        co_await add(writer, binary, "\0"s, "not selected");
        co_await add(writer, binary, binary.substr(0, 4), "nor this");
        co_await watcher.reached(co_await writer.flush());
        co_await watcher.reached((co_await db.erase(binary, binary)).revision);
        BOOST_TEST_REQUIRE(recorder.size() == 2U);
        BOOST_TEST(recorder.messages()[0]->bucket == binary);
        BOOST_TEST(recorder.messages()[0]->key == binary);
        BOOST_TEST(recorder.messages()[0]->value == binary);
        BOOST_TEST(recorder.messages()[1]->previous == binary);
        const auto found =
            co_await db.view([](const Snapshot& s) { return s.buckets("\0[\xf0-\xff]\\*?*"s); });
        BOOST_TEST_REQUIRE(found.size() == 1U);
        BOOST_TEST(found[0].name == binary);
        co_await db.close();
    });
}

// The operating system ends a path at a NUL, which would make it another path.
BOOST_AUTO_TEST_CASE(a_path_with_a_nul_is_refused_before_anything_is_created)
{
    const TemporaryDirectory directory;
    const std::string path = (directory / "db") + "\0x"s;
    const auto refused = code(Error::invalid_option);
    for (const std::string& location : {path, "memory:\0"s, "\0"s}) {
        BOOST_TEST(failure_of([&] {
                       Database::open_blocking(executor(), watched_options(location));
                   }) == refused);
    }
    run([&]() -> Task {
        Database db = co_await open_with("b");
        BOOST_TEST(co_await failure_of(ignore(db.backup(path))) == refused);
        std::stringstream stream;
        co_await db.backup(stream);
        BOOST_TEST(failure_of([&] { restore_blocking(stream, path); }) == refused);
        co_await db.close();
    });
    BOOST_TEST(files_below(directory.path()).empty());
}

BOOST_AUTO_TEST_CASE(every_write_refuses_a_value_larger_than_any_transaction)
{
    run([]() -> Task {
        Database db = co_await open_with(with_limit("memory:", 100'000), "b");
        co_await put(db, "b", "k", "old");
        const auto too_large = code(Error::transaction_too_large);
        for (const Change& each : writes_of(std::string(100'000, 'h'))) {
            boost::system::error_code inside;
            const Change swallow = [&](Transaction& tx) { inside = failure_of([&] { each(tx); }); };
            BOOST_TEST(co_await failure_of(update(db, swallow)) == too_large);
            BOOST_TEST(inside == too_large);
        }
        BOOST_TEST(co_await db.get("b", "k") == "old");
        BOOST_TEST(db.head_revision() == 2U);
        co_await db.close();
    });
}

// The message of an erase contains the value. With a smaller limit, the value is replaced first, or
// its bucket deleted.
BOOST_AUTO_TEST_CASE(a_value_larger_than_the_limit_is_not_erased_as_it_is)
{
    const TemporaryDirectory directory;
    run([&]() -> Task {
        const std::string path = directory / "db";
        Database db = co_await open_with(watched_options(path), "b");
        co_await put(db, "b", "k", std::string(200'000, 'h'));
        co_await db.close();
        db = co_await open_database(with_limit(path, 100'000));
        const auto too_large = code(Error::transaction_too_large);
        BOOST_TEST(co_await failure_of(ignore(db.erase("b", "k"))) == too_large);
        BulkWriter writer = db.bulk_writer();
        co_await writer.erase("b", "k");
        BOOST_TEST(co_await failure_of(flush(writer)) == too_large);
        co_await put(db, "b", "k", "small");
        co_await db.erase("b", "k");
        co_await db.close();
        db = co_await open_database(watched_options(path));
        co_await put(db, "b", "k", std::string(200'000, 'h'));
        co_await db.close();
        db = co_await open_database(with_limit(path, 100'000));
        co_await drop(db, "b");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(the_largest_options_are_options)
{
    run([]() -> Task {
        constexpr auto most = std::numeric_limits<std::size_t>::max();
        Options options = watched_options();
        options.history.age = std::chrono::seconds::max();
        options.history.bytes = most;
        options.history.hard_bytes = most;
        options.max_transaction_bytes = most;
        options.max_pending_bytes = most;
        options.hub_messages = most;
        options.hub_bytes = most;
        options.distribute_batches = most;
        options.batch_messages = most;
        options.distribute_bytes = most;
        options.victim_sets = most;
        Database db = co_await open_with(options, "b");
        WatchOptions largest = watch_from(From::revision(1));
        largest.buffer_messages = most;
        largest.buffer_bytes = most;
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder, largest);
        const Run running = co_await start(watcher);
        BulkWriterOptions loading;
        loading.transaction_bytes = most;
        loading.in_flight = most;
        BulkWriter writer = db.bulk_writer(loading);
        co_await add(writer, "b", "k", "1");
        co_await watcher.reached(co_await writer.flush());
        BOOST_TEST(recorder.size() == 2U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(nothing_of_a_function_can_be_used_when_it_has_ended)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 3);
        std::optional<Transaction> kept;
        std::vector<BTreeRange> ranges;
        std::vector<BTreeIterator> iterators;
        const Change keep = [&](Transaction& tx) {
            kept = tx;
            ranges.push_back(tx.btree("b").scan());
            BOOST_TEST(ranges.back().keys().size() == 3U);
            ranges.push_back(tx.btree("b").prefix("k"));
            iterators.push_back(tx.btree("b").iterator());
            iterators.back().first();
            throw std::runtime_error("ended");
        };
        BOOST_CHECK_THROW(co_await update(db, keep), std::runtime_error);
        const auto finished = code(Error::transaction_finished);
        for (BTreeRange& each : ranges) {
            BOOST_TEST(failure_of([&] { each.begin(); }) == finished);
            BOOST_TEST(failure_of([&] { each.to_vector(); }) == finished);
            BOOST_TEST(failure_of([&] { each.keys(); }) == finished);
            BOOST_TEST(failure_of([&] { each.values(); }) == finished);
        }
        BTreeIterator& it = iterators.front();
        BOOST_TEST(failure_of([&] { (void)it.value(); }) == finished);
        BOOST_TEST(failure_of([&] { it.previous(); }) == finished);
        BOOST_TEST(failure_of([&] { it.seek_before("k"); }) == finished);
        BOOST_TEST(failure_of([&] { it.first(); }) == finished);
        BOOST_TEST(failure_of([&] { it.last(); }) == finished);
        const auto btree = Structure::btree;
        BOOST_TEST(failure_of([&] { kept->create_bucket(btree, "c"); }) == finished);
        BOOST_TEST(failure_of([&] { kept->delete_bucket(btree, "b"); }) == finished);
        BOOST_TEST(failure_of([&] { kept->set_origin("o"); }) == finished);
        BOOST_TEST(failure_of([&] { (void)kept->has_bucket(btree, "b"); }) == finished);
        BOOST_TEST(failure_of([&] { (void)kept->revision(); }) == finished);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
