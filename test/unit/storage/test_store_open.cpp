// SPDX-License-Identifier: BSL-1.0
#include "storage/store.hpp"
#include "support/printing.hpp"
#include "support/process/other_user.hpp"
#include "support/storage/database_directory.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

using namespace keywatch;
using namespace keywatch::storage;
using namespace keywatch::test;
namespace fs = std::filesystem;

// `Store::open`: what it creates, accepts and refuses.
BOOST_FIXTURE_TEST_SUITE(test_store_open, DatabaseDirectory)

BOOST_AUTO_TEST_CASE(a_new_directory_becomes_an_empty_database)
{
    const auto store = Store::open(options());
    BOOST_TEST(store->head_at_open() == 0U);
    BOOST_TEST(store->next_bucket_at_open() == 1U);
    BOOST_TEST(store->history_at_open().oldest == 1U);
    BOOST_TEST(store->history_at_open().newest == 0U);
    BOOST_CHECK(store->catalogue_at_open().list().empty());
    BOOST_TEST(store->history_id() != HistoryId{});
    BOOST_TEST(read_file(path + "/KEYWATCH") == "keywatch database, format 1\n");
    BOOST_CHECK(!fs::exists(path + "/LOG"));
}

BOOST_AUTO_TEST_CASE(an_empty_directory_is_used)
{
    fs::create_directory(path);
    Store::open(options());
    BOOST_CHECK(fs::exists(path + "/KEYWATCH"));
}

BOOST_AUTO_TEST_CASE(everything_is_found_again)
{
    HistoryId id;
    const Time time{std::chrono::microseconds{77}};
    {
        const auto store = Store::open(options());
        id = store->history_id();
        Committer committer(*store);
        committer.set_time(time);
        committer.commit(3);
        committer.commit(2);
        Batch batch;
        batch.put(bucket_key(Structure::btree, "users"), encode_number(1));
        batch.put(bucket_key(Structure::set, "users"), encode_number(4));
        batch.put(orphan_key(data_prefix(2)), {});
        batch.put(orphan_key(data_prefix(3)), {});
        batch.put(next_bucket_key, encode_number(5));
        store->write(batch, false);
    }
    const auto store = Store::open(options());
    BOOST_TEST(store->history_id() == id);
    BOOST_TEST(store->head_at_open() == 2U);
    BOOST_TEST(store->latest_time_at_open() == time);
    BOOST_TEST(store->next_bucket_at_open() == 5U);
    BOOST_TEST(store->catalogue_at_open().find(Structure::set, "users") == BucketId{4});
    BOOST_TEST(store->catalogue_at_open().list().size() == 2U);
    BOOST_TEST(store->orphans_at_open() ==
               (std::vector<std::string>{data_prefix(2), data_prefix(3)}));
    const HistoryState& history = store->history_at_open();
    BOOST_TEST(history.oldest == 1U);
    BOOST_TEST(history.newest == 2U);
    BOOST_TEST(history.oldest_time == time);
    BOOST_TEST(history.before_oldest == Totals{});
    BOOST_TEST(history.newest_totals.messages == 5U);
    BOOST_CHECK(has_data(*store, 1) && has_data(*store, 2) && !has_data(*store, 3));
    BOOST_TEST(store->revision(*store->snapshot()) == 2U);
}

BOOST_AUTO_TEST_CASE(the_latest_time_is_that_of_the_newest_record_or_a_later_one_that_is_stored)
{
    using namespace std::chrono_literals;
    const Time time{1000h};
    {
        const auto store = Store::open(options());
        BOOST_TEST(store->latest_time_at_open() == Time::min());
        Committer committer(*store);
        committer.set_time(time);
        committer.commit();
    }
    for (const auto& [stored, latest] :
         {std::pair{time - 1us, time}, std::pair{time + 1us, time + 1us}}) {
        {
            const auto store = Store::open(options());
            Batch batch;
            batch.put(time_key, encode_time(stored));
            store->write(batch, false);
        }
        BOOST_TEST(Store::open(options())->latest_time_at_open() == latest);
    }
}

BOOST_AUTO_TEST_CASE(two_databases_have_different_histories)
{
    const auto one = Store::open(options());
    const auto other = Store::open(Options(directory / "other"));
    BOOST_TEST(one->history_id() != other->history_id());
}

BOOST_AUTO_TEST_CASE(a_database_in_memory_leaves_no_files)
{
    const auto before = files_below(directory.path());
    {
        const auto store = Store::open(Options("memory:"));
        Committer(*store).commit();
        BOOST_TEST(store->revision(*store->snapshot()) == 1U);
        const auto other = Store::open(Options("memory:"));
        BOOST_TEST(other->head_at_open() == 0U);
    }
    BOOST_TEST(files_below(directory.path()) == before);
    BOOST_CHECK(!fs::exists("memory:") && !fs::exists("/memory"));
}

BOOST_AUTO_TEST_CASE(without_create_if_missing_nothing_is_created)
{
    Options existing = options();
    existing.create_if_missing = false;
    const auto refused = [&] {
        const auto before = files_below(directory.path());
        BOOST_TEST(error_of([&] { Store::open(existing); }) == Error::open_failed);
        BOOST_TEST(files_below(directory.path()) == before);
    };
    refused();
    fs::create_directory(path);
    refused();
    make_database();
    BOOST_TEST(Store::open(existing)->head_at_open() == 3U);
}

BOOST_AUTO_TEST_CASE(a_missing_parent_is_refused)
{
    path = directory / "not/there";
    check_refused(Error::open_failed);
}

BOOST_AUTO_TEST_CASE(a_name_that_the_system_refuses_is_reported_with_its_message)
{
    path = directory / std::string(300, 'x');
    try {
        Store::open(options());
        BOOST_ERROR("opened");
    } catch (const boost::system::system_error& error) {
        BOOST_TEST(error.code() == make_error_code(Error::open_failed));
        BOOST_TEST(std::string(error.what()).find("File name too long") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(something_else_is_not_a_database)
{
    write_file(path, "a file");
    check_refused(Error::not_a_database);
    fs::remove(path);
    fs::create_directory(path);
    write_file(path + "/notes.txt", "mine");
    check_refused(Error::not_a_database);
}

BOOST_AUTO_TEST_CASE(a_plain_leveldb_is_not_a_database)
{
    leveldb::Options plain;
    plain.create_if_missing = true;
    leveldb::DB* db = nullptr;
    BOOST_REQUIRE(leveldb::DB::Open(plain, path, &db).ok());
    db->Put({}, "theirs", "untouched");
    delete db;
    check_refused(Error::not_a_database);
}

BOOST_AUTO_TEST_CASE(a_second_handle_of_this_process_is_refused)
{
    make_database();
    const auto store = Store::open(options());
    check_refused(Error::locked);
    Committer committer(*store);
    BOOST_TEST(committer.commit() == 4U);
}

BOOST_AUTO_TEST_CASE(another_process_that_has_it_open_is_respected)
{
    make_database();
    const int other = ::open((path + "/KEYWATCH").c_str(), O_RDONLY);
    BOOST_TEST_REQUIRE(::flock(other, LOCK_EX) == 0);
    check_refused(Error::locked);
    ::close(other);
    BOOST_TEST(Store::open(options())->head_at_open() == 3U);
}

BOOST_AUTO_TEST_CASE(an_open_database_is_locked)
{
    const auto store = Store::open(options());
    const int other = ::open((path + "/KEYWATCH").c_str(), O_RDONLY);
    BOOST_TEST(::flock(other, LOCK_SH | LOCK_NB) != 0);
    ::close(other);
}

BOOST_AUTO_TEST_CASE(a_refused_open_does_not_lock)
{
    make_database();
    fs::rename(path + "/CURRENT", path + "/away");
    check_refused(Error::damaged);
    fs::rename(path + "/away", path + "/CURRENT");
    BOOST_TEST(Store::open(options())->head_at_open() == 3U);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_is_read_only)
{
    if (!can_become_others()) {
        BOOST_TEST_MESSAGE("needs root to become somebody else");
        return;
    }
    const auto refused = [&] {
        return error_of([&] { Store::open(options()); }) == Error::read_only;
    };
    fs::permissions(directory.path(),
                    fs::perms::owner_all | fs::perms::others_read | fs::perms::others_exec);
    const auto before_creation = files_below(directory.path());
    BOOST_CHECK(as_nobody(refused));  // the directory cannot be created
    fs::create_directory(path);
    BOOST_CHECK(as_nobody(refused));
    fs::remove(path);
    BOOST_TEST(files_below(directory.path()) == before_creation);

    make_database();
    const auto before = files_below(directory.path());
    BOOST_CHECK(as_nobody(refused));
    fs::permissions(path, fs::perms::all);  // the directory is writable now, its files are not
    BOOST_CHECK(as_nobody(refused));
    BOOST_TEST(files_below(directory.path()) == before);
    for (const auto& entry : fs::directory_iterator(path)) {
        fs::permissions(entry.path(), fs::perms::all);
    }
    BOOST_CHECK(as_nobody([&] { return Store::open(options())->head_at_open() == 3; }));
}

BOOST_AUTO_TEST_SUITE_END()
