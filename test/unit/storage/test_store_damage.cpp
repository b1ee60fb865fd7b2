// SPDX-License-Identifier: BSL-1.0
#include "storage/store.hpp"
#include "support/printing.hpp"
#include "support/storage/database_directory.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>
#include <utility>

using namespace keywatch;
using namespace keywatch::storage;
using namespace keywatch::test;
namespace fs = std::filesystem;

// A `Store` whose files are missing, changed or too new.
BOOST_FIXTURE_TEST_SUITE(test_store_damage, DatabaseDirectory)

BOOST_AUTO_TEST_CASE(a_newer_format_is_refused)
{
    make_database();
    write_file(path + "/KEYWATCH", "keywatch database, format 2\n");
    check_refused(Error::format_too_new);
}

BOOST_AUTO_TEST_CASE(an_empty_marker_is_damage)
{
    make_database();
    for (const char* text : {"", "garbage", "keywatch database, format 0\n",
                             "keywatch database, format 1", "keywatch database, format 1\nx",
                             "keywatch database, format x\n", "keywatch database, format -1\n"}) {
        write_file(path + "/KEYWATCH", text);
        check_refused(Error::damaged);
    }
}

BOOST_AUTO_TEST_CASE(a_missing_current_is_damage)
{
    make_database();
    fs::remove(path + "/CURRENT");
    check_refused(Error::damaged);
}

BOOST_AUTO_TEST_CASE(a_missing_manifest_is_damage)
{
    make_database();
    for (const auto& entry : fs::directory_iterator(path)) {
        if (entry.path().filename().string().starts_with("MANIFEST")) {
            fs::remove(entry.path());
        }
    }
    check_refused(Error::damaged);
}

BOOST_AUTO_TEST_CASE(a_missing_table_is_damage)
{
    make_database();
    Store::open(options());  // writes the log out as a table
    for (const auto& entry : fs::directory_iterator(path)) {
        if (entry.path().extension() == ".ldb") {
            fs::remove(entry.path());
        }
    }
    check_refused(Error::damaged);
}

// LevelDB opens this without an error, and writes new files first. These must be removed again.
BOOST_AUTO_TEST_CASE(a_jump_in_the_newest_history_is_damage)
{
    make_database();
    {
        const auto store = Store::open(options());
        Batch batch;
        RecordWriter writer;
        Totals totals{10, 10'000};
        Store::put_record(batch, 9, writer.finish(8, Time{}, totals));
        store->write(batch, false);
    }
    check_refused(Error::damaged);
}

BOOST_AUTO_TEST_CASE(a_record_that_does_not_follow_the_one_before_is_damage)
{
    make_database();
    {
        const auto store = Store::open(options());
        Batch batch;
        RecordWriter writer;
        Totals totals{10, 10'000};
        Store::put_record(batch, 4, writer.finish(2, Time{}, totals));
        store->write(batch, false);
    }
    check_refused(Error::damaged);
}

BOOST_AUTO_TEST_CASE(impossible_content_is_damage)
{
    const std::pair<std::string, std::string> contents[] = {
        {std::string(oldest_key), "short"},
        {std::string(oldest_key), encode_number(9)},
        {std::string(oldest_key), encode_number(2)},  // but history contains 3 and continues with 4
        {std::string(head_key), ""},
        {std::string(next_bucket_key), encode_number(1ULL << 32)},
        {std::string(time_key), "short"},
        {std::string(time_key), encode_time(Time::max())},
        {cursor_key("c"), encode_cursor({1, Time::min()})},
        {std::string(history_id_key), "short"},
        {bucket_key(Structure::btree, "b"), encode_number(1)},  // an id that was never assigned
        {bucket_key(Structure::btree, ""), encode_number(0)},
        {std::string("b\x09name"), encode_number(0)},
        {std::string("o1"), ""},
        {history_key(4, 0), "not a record"},
        {history_key(4, 1), "a part without its record"},
        {history_key(3, 1), "one part too many"},
        {std::string("hx"), "not even a revision"},
    };
    for (const auto& [key, value] : contents) {
        fs::remove_all(path);
        {
            const auto store = Store::open(options());
            Committer committer(*store);
            committer.commit();
            committer.commit();
            committer.commit();
            Batch batch;
            if (value == encode_number(2)) {
                batch.erase(history_key(2, 0));
            }
            batch.put(key, value);
            store->write(batch, false);
        }
        BOOST_TEST_CONTEXT(key << " = " << value)
        {
            check_refused(Error::damaged);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_hole_in_the_newest_history_is_damage)
{
    make_database(50);
    {
        const auto store = Store::open(options());
        Batch batch;
        batch.erase(history_key(25, 0));
        store->write(batch, false);
    }
    check_refused(Error::damaged);
}

BOOST_AUTO_TEST_CASE(a_hole_anywhere_in_the_log_is_damage)
{
    {
        const auto store = Store::open(options());
        Committer committer(*store);
        for (int i = 0; i < 3000; ++i) {
            committer.commit();
        }
        Batch batch;
        batch.erase(history_key(2, 0));
        store->write(batch, false);
    }
    check_refused(Error::damaged);
}

BOOST_AUTO_TEST_CASE(a_hole_between_records_much_longer_than_most_is_damage)
{
    make_database(500);
    {
        const auto store = Store::open(options());
        Committer committer(*store);
        for (int i = 0; i < 10; ++i) {
            committer.commit(1, 300'000);
        }
        Batch batch;
        batch.erase(history_key(502, 0));
        store->write(batch, false);
    }
    check_refused(Error::damaged);
}

BOOST_AUTO_TEST_CASE(a_missing_part_in_the_newest_history_is_damage)
{
    {
        const auto store = Store::open(options());
        Committer committer(*store);
        committer.commit(1, 3 * max_part_bytes);
        committer.commit();
        Batch batch;
        batch.erase(history_key(1, 2));
        store->write(batch, false);
    }
    check_refused(Error::damaged);
}

BOOST_AUTO_TEST_CASE(a_database_that_lost_its_identity_is_damaged)
{
    make_database();
    {
        const auto store = Store::open(options());
        Batch batch;
        batch.erase(history_id_key);
        store->write(batch, false);
    }
    check_refused(Error::damaged);
}

BOOST_AUTO_TEST_SUITE_END()
