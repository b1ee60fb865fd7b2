// SPDX-License-Identifier: BSL-1.0
#include "storage/store.hpp"
#include "support/power_loss_env.hpp"
#include "support/store_tools.hpp"
#include "support/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <functional>
#include <string>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace keywatch;
using namespace keywatch::storage;
using namespace keywatch::test;
namespace fs = std::filesystem;

namespace {

struct Fixture {
    TemporaryDirectory directory;
    std::string path = directory / "db";

    Options options() const { return Options(path); }

    /// A database with a few commits, closed.
    void make_database(int commits = 3)
    {
        const auto store = Store::open(options());
        Committer committer(*store);
        for (int i = 0; i < commits; ++i) {
            committer.commit();
        }
    }

    /// Opening must fail with this error and leave everything as it is.
    void check_refused(Error expected)
    {
        const auto before = files_below(directory.path());
        BOOST_CHECK(error_of([&] { Store::open(options()); }) == expected);
        const auto after = files_below(directory.path());
        BOOST_CHECK(before == after);
        for (const auto& [name, bytes] : after) {
            if (const auto found = before.find(name); found == before.end()) {
                BOOST_ERROR("left behind: " << name);
            }
        }
    }

    void remove_files(const std::string& extension)
    {
        for (const auto& entry : fs::directory_iterator(path)) {
            if (entry.path().extension() == extension) {
                fs::remove(entry.path());
            }
        }
    }
};

/// Runs in a process of a user without rights; gives whether `check` said so there.
bool as_nobody(const std::function<bool()>& check)
{
    const pid_t child = ::fork();
    if (child == 0) {
        bool passed = ::setgid(65534) == 0 && ::setuid(65534) == 0;
        try {
            passed = passed && check();
        } catch (...) {
            passed = false;
        }
        ::_exit(passed ? 0 : 1);
    }
    int status = 0;
    return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(test_store_open, Fixture)

BOOST_AUTO_TEST_CASE(a_new_directory_becomes_an_empty_database)
{
    const auto store = Store::open(options());
    BOOST_TEST(store->head_at_open() == 0U);
    BOOST_TEST(store->next_bucket_at_open() == 1U);
    BOOST_TEST(store->history_at_open().oldest == 1U);
    BOOST_TEST(store->history_at_open().newest == 0U);
    BOOST_CHECK(store->catalogue_at_open().list().empty());
    BOOST_CHECK(store->history_id() != HistoryId{});
    BOOST_TEST(read_file(path + "/KEYWATCH") == "keywatch database, format 1\n");
    BOOST_CHECK(!fs::exists(path + "/LOG"));
}

BOOST_AUTO_TEST_CASE(an_empty_directory_is_taken)
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
        batch.put(orphan_key(2), {});
        batch.put(orphan_key(3), {});
        batch.put(next_bucket_key, encode_number(5));
        store->write(batch, false);
    }
    const auto store = Store::open(options());
    BOOST_CHECK(store->history_id() == id);
    BOOST_TEST(store->head_at_open() == 2U);
    BOOST_CHECK(store->newest_time_at_open() == time);
    BOOST_TEST(store->next_bucket_at_open() == 5U);
    BOOST_CHECK(store->catalogue_at_open().find(Structure::set, "users") == BucketId{4});
    BOOST_TEST(store->catalogue_at_open().list().size() == 2U);
    BOOST_CHECK((store->orphans_at_open() == std::vector<BucketId>{2, 3}));
    const HistoryState& history = store->history_at_open();
    BOOST_TEST(history.oldest == 1U);
    BOOST_TEST(history.newest == 2U);
    BOOST_CHECK(history.oldest_time == time);
    BOOST_CHECK(history.before_oldest == Totals{});
    BOOST_TEST(history.newest_totals.messages == 5U);
    BOOST_CHECK(has_data(*store, 1) && has_data(*store, 2) && !has_data(*store, 3));
    BOOST_TEST(store->revision(*store->snapshot()) == 2U);
}

BOOST_AUTO_TEST_CASE(two_databases_have_different_histories)
{
    const auto one = Store::open(options());
    const auto other = Store::open(Options(directory / "other"));
    BOOST_CHECK(one->history_id() != other->history_id());
}

BOOST_AUTO_TEST_CASE(memory_leaves_nothing_behind)
{
    const auto before = files_below(directory.path());
    {
        const auto store = Store::open(Options("memory:"));
        Committer(*store).commit();
        BOOST_TEST(store->revision(*store->snapshot()) == 1U);
        const auto other = Store::open(Options("memory:"));
        BOOST_TEST(other->head_at_open() == 0U);
    }
    BOOST_CHECK(files_below(directory.path()) == before);
    BOOST_CHECK(!fs::exists("memory:") && !fs::exists("/memory"));
}

BOOST_AUTO_TEST_CASE(without_create_if_missing_nothing_is_created)
{
    Options existing = options();
    existing.create_if_missing = false;
    const auto refused = [&] {
        const auto before = files_below(directory.path());
        BOOST_CHECK(error_of([&] { Store::open(existing); }) == Error::open_failed);
        BOOST_CHECK(files_below(directory.path()) == before);
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

BOOST_AUTO_TEST_CASE(a_name_that_the_system_refuses_is_told_with_its_message)
{
    path = directory / std::string(300, 'x');
    try {
        Store::open(options());
        BOOST_ERROR("opened");
    } catch (const boost::system::system_error& error) {
        BOOST_CHECK(error.code() == make_error_code(Error::open_failed));
        BOOST_CHECK(std::string(error.what()).find("File name too long") != std::string::npos);
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

BOOST_AUTO_TEST_CASE(a_newer_format_is_refused)
{
    make_database();
    write_file(path + "/KEYWATCH", "keywatch database, format 2\n");
    check_refused(Error::format_too_new);
}

BOOST_AUTO_TEST_CASE(a_marker_that_says_nothing_is_damage)
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
    remove_files(".ldb");
    check_refused(Error::damaged);
}

// LevelDB opens this without a word. Also what was recovered meanwhile must be undone.
BOOST_AUTO_TEST_CASE(a_missing_log_is_damage_once_the_table_before_it_shows_it)
{
    make_database();
    for (int i = 0; i < 2; ++i) {
        const auto store = Store::open(options());
        Batch batch;  // a record of a revision that does not follow
        RecordWriter writer;
        Totals totals{10, 10'000};
        Store::put_record(batch, 9, writer.finish(8, Time{}, totals));
        store->write(batch, false);
        break;
    }
    check_refused(Error::damaged);
}

BOOST_AUTO_TEST_CASE(content_that_cannot_be_is_damage)
{
    const std::pair<std::string, std::string> contents[] = {
        {std::string(oldest_key), "short"},
        {std::string(oldest_key), encode_number(9)},
        {std::string(oldest_key), encode_number(2)},  // but history has 3 and goes on with 4
        {std::string(head_key), ""},
        {std::string(next_bucket_key), encode_number(1ULL << 32)},
        {std::string(history_id_key), "short"},
        {bucket_key(Structure::btree, "b"), encode_number(1)},  // an id that was never given
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
        BOOST_TEST_CONTEXT(key << " = " << value) { check_refused(Error::damaged); }
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
    BOOST_REQUIRE(::flock(other, LOCK_EX) == 0);
    check_refused(Error::locked);
    ::close(other);
    BOOST_TEST(Store::open(options())->head_at_open() == 3U);
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
    if (::getuid() != 0) {
        BOOST_TEST_MESSAGE("needs root to become somebody else");
        return;
    }
    const auto refused = [&] {
        return error_of([&] { Store::open(options()); }) == Error::read_only;
    };
    fs::permissions(directory.path(), fs::perms::owner_all | fs::perms::others_read
                                          | fs::perms::others_exec);
    const auto before_creation = files_below(directory.path());
    BOOST_CHECK(as_nobody(refused));  // it cannot be created
    fs::create_directory(path);
    BOOST_CHECK(as_nobody(refused));
    fs::remove(path);
    BOOST_CHECK(files_below(directory.path()) == before_creation);

    make_database();
    const auto before = files_below(directory.path());
    BOOST_CHECK(as_nobody(refused));
    fs::permissions(path, fs::perms::all);  // the directory may be written now, its files not
    BOOST_CHECK(as_nobody(refused));
    BOOST_CHECK(files_below(directory.path()) == before);
    for (const auto& entry : fs::directory_iterator(path)) {
        fs::permissions(entry.path(), fs::perms::all);
    }
    BOOST_CHECK(as_nobody([&] { return Store::open(options())->head_at_open() == 3; }));
}

// Whatever a creation had done when it was cut short, the next one completes it.
BOOST_AUTO_TEST_CASE(a_creation_can_be_cut_short_anywhere)
{
    for (std::uint64_t operations = 0;; ++operations) {
        PowerLossEnv disk;
        disk.cut_power_after(operations);
        error_of([&] { Store::open(Options("/db"), &disk); });
        for (const Survival& survival :
             {Survival::nothing(), Survival::everything(), Survival::random(operations)}) {
            const auto after = disk.survivors(survival);
            BOOST_TEST_CONTEXT("after " << operations << " operations")
            {
                BOOST_CHECK_NO_THROW(Store::open(Options("/db"), after.get()));
            }
        }
        if (!disk.power_is_cut()) {
            BOOST_TEST(operations > 10U);
            break;
        }
    }
}

// A reopening replays the log; until that is done, the old files must be there.
BOOST_AUTO_TEST_CASE(a_reopening_can_be_cut_short_anywhere)
{
    PowerLossEnv first;
    {
        const auto store = Store::open(Options("/db"), &first);
        Committer committer(*store);
        for (int i = 0; i < 3; ++i) {
            committer.commit(1, 10, true);
        }
    }
    for (std::uint64_t operations = 0;; ++operations) {
        const auto disk = first.survivors(Survival::nothing());
        disk->cut_power_after(operations);
        error_of([&] { Store::open(Options("/db"), disk.get()); });
        for (const Survival& survival :
             {Survival::nothing(), Survival::everything(), Survival::random(operations)}) {
            const auto after = disk->survivors(survival);
            BOOST_TEST_CONTEXT("after " << operations << " operations")
            {
                const auto store = Store::open(Options("/db"), after.get());
                BOOST_TEST(store->head_at_open() == 3U);
                BOOST_CHECK(has_data(*store, 1) && has_data(*store, 3));
            }
        }
        if (!disk->power_is_cut()) {
            BOOST_TEST(operations > 5U);
            break;
        }
    }
}

// Every single failure of the disk while opening is an error that leaves everything as it was.
BOOST_AUTO_TEST_CASE(a_disk_that_fails_once_while_opening_changes_nothing)
{
    PowerLossEnv first;
    {
        const auto store = Store::open(Options("/db"), &first);
        Committer(*store).commit();
    }
    const auto before = first.contents();
    for (const bool append : {true, false}) {
        bool failed = true;
        for (std::uint64_t nth = 1; failed; ++nth) {
            const auto disk = first.survivors(Survival::everything());
            if (append) {
                disk->fail_append(nth, PowerLossEnv::Torn::half);
            } else {
                disk->fail_sync(nth);
            }
            const auto error = error_of([&] { Store::open(Options("/db"), disk.get()); });
            failed = error.has_value();
            BOOST_CHECK(!error || error == Error::open_failed);
            if (error) {
                BOOST_CHECK(disk->contents() == before);
                BOOST_TEST(Store::open(Options("/db"), disk.get())->head_at_open() == 1U);
            }
            BOOST_REQUIRE(nth < 100);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_full_disk_leaves_no_half_made_database)
{
    for (const std::uint64_t space : {0, 10, 40, 100}) {
        PowerLossEnv disk;
        disk.limit_space(space);
        BOOST_CHECK(error_of([&] { Store::open(Options("/db"), &disk); }) == Error::open_failed);
        BOOST_CHECK(disk.contents().empty());
        BOOST_CHECK(!disk.FileExists("/db"));
    }
}

BOOST_AUTO_TEST_SUITE_END()
