// SPDX-License-Identifier: BSL-1.0
#include "storage/files/environment.hpp"
#include "storage/log/log_format.hpp"
#include "storage/log/log_mark.hpp"
#include "storage/store.hpp"
#include "support/printing.hpp"
#include "support/storage/failing_env.hpp"
#include "support/storage/power_loss_env.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace keywatch;
using namespace keywatch::storage;
using namespace keywatch::test;

namespace {

using OwnDisk = std::unique_ptr<PowerLossEnv>;

Options small_table()
{
    Options options("/db");
    options.write_buffer_bytes = std::size_t{1} << 16;
    return options;
}

std::vector<std::string> names(const PowerLossEnv& disk, const std::string& part)
{
    std::vector<std::string> found;
    for (const auto& [name, bytes] : disk.contents()) {
        if (name.find(part) != std::string::npos) {
            found.push_back(name);
        }
    }
    return found;
}

std::string manifest_of(const PowerLossEnv& disk)
{
    const std::string current = disk.contents().at("/db/CURRENT");
    return "/db/" + current.substr(0, current.size() - 1);
}

OwnDisk copy_of(const PowerLossEnv& disk)
{
    return disk.survivors(Survival::everything());
}

/// Returns a database whose oldest commits are in a table, and this many more in a log.
OwnDisk make(int commits, bool close)
{
    ReopenableStore database;
    database.commit(3);
    database.reopen();
    database.commit(commits, 1, 700);
    if (close) {
        database.store.reset();
    }
    return copy_of(database.disk);
}

/// The result of opening: the head, if everything up to it is there; or the error, after which
/// nothing has changed.
struct Found {
    std::optional<Error> error;
    Revision head = 0;
};

Found look(PowerLossEnv& disk)
{
    const auto before = disk.contents();
    Found found;
    found.error = error_of([&] {
        const auto store = Store::open(Options("/db"), &disk);
        found.head = store->head_at_open();
        BOOST_TEST_REQUIRE(revisions(store->read_history(0, UINT64_MAX, {SIZE_MAX, SIZE_MAX})) ==
                           range(1, found.head));
        for (Revision revision = 1; revision <= found.head; ++revision) {
            BOOST_REQUIRE(has_data(*store, revision));
        }
    });
    BOOST_REQUIRE(!found.error || disk.contents() == before);
    return found;
}

/// Visits positions in a file: all of them near its ends, and some in between.
template <class Visit>
void some_positions(std::size_t size, Visit visit)
{
    for (std::size_t at = 0; at < size; at += at < 150 || at + 150 > size ? 1 : 211) {
        visit(at);
    }
}

Found look_with(const PowerLossEnv& disk, const std::string& name, std::string bytes)
{
    const OwnDisk changed = copy_of(disk);
    changed->overwrite(name, std::move(bytes));
    return look(*changed);
}

Found look_flipped(const PowerLossEnv& disk, const std::string& name, std::size_t at)
{
    std::string bytes = disk.contents().at(name);
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
    return look_with(disk, name, std::move(bytes));
}

Found look_cut(const PowerLossEnv& disk, const std::string& name, std::size_t size)
{
    return look_with(disk, name, disk.contents().at(name).substr(0, size));
}

Found look_without(const PowerLossEnv& disk, const std::vector<std::string>& files)
{
    const OwnDisk changed = copy_of(disk);
    for (const std::string& name : files) {
        changed->RemoveFile(name);
    }
    return look(*changed);
}

/// Two logs with commits. The memory table of the older one has not been written out yet.
struct TwoLogs {
    PowerLossEnv disk;
    std::unique_ptr<Store> store = Store::open(small_table(), &disk);
    Committer committer{*store};
    std::string older;
    std::string newer;
    std::string older_bytes;  ///< without a mark
    Revision rotated_after = 0;

    TwoLogs()
    {
        disk.hold_background();
        commit(30);
        rotated_after = committer.head();
        older = names(disk, ".log").back();
        older_bytes = disk.contents().at(older);
        store->prepare_rotation();
        commit(10);
        BOOST_TEST_REQUIRE(names(disk, ".log").size() == 2U);
        newer = names(disk, ".log").back();
    }
    ~TwoLogs()
    {
        disk.release_background();
        store.reset();
    }
    void commit(int commits)
    {
        for (int i = 0; i < commits; ++i) {
            committer.commit(1, 700);
        }
    }

    /// Returns the files after a crash, with or without the mark that the older log receives at
    /// some time.
    OwnDisk killed(bool marked = false) const
    {
        OwnDisk copy = copy_of(disk);
        const std::string mark = mark_bytes(LogMark::rotated, older_bytes.size());
        copy->overwrite(older, older_bytes + (marked ? mark : std::string()));
        return copy;
    }
};

}  // namespace

// The recovery of LevelDB's logs, cut off or damaged anywhere.
BOOST_AUTO_TEST_SUITE(test_log_recovery)

// A power cut may lose, zero or garble any unsynced page, and keep later ones.
BOOST_AUTO_TEST_CASE(the_newest_log_ends_at_its_first_bad_record)
{
    const OwnDisk disk = make(60, false);
    const std::string log = names(*disk, ".log").front();
    BOOST_TEST(look(*copy_of(*disk)).head == 63U);
    Revision before = 3;
    some_positions(disk->contents().at(log).size(), [&](std::size_t at) {
        const Found found = look_flipped(*disk, log, at);
        BOOST_REQUIRE(!found.error);
        BOOST_TEST_REQUIRE(found.head >= before);
        BOOST_TEST_REQUIRE(found.head < 63U);
        before = found.head;
        BOOST_TEST_REQUIRE(look_cut(*disk, log, at).head == found.head);
    });
    BOOST_TEST(before == 62U);
}

BOOST_AUTO_TEST_CASE(a_bad_record_in_a_log_that_was_closed_is_damage)
{
    const OwnDisk disk = make(60, true);
    const std::string log = names(*disk, ".log").front();
    BOOST_TEST(look(*copy_of(*disk)).head == 63U);
    const std::size_t mark =
        disk->contents().at(log).size() - write_header_bytes - log_header_bytes;
    some_positions(disk->contents().at(log).size(), [&](std::size_t at) {
        const Found found = look_flipped(*disk, log, at);
        BOOST_REQUIRE(at < mark ? found.error == Error::damaged : found.head == 63U);
    });
}

BOOST_AUTO_TEST_CASE(a_bad_record_in_an_older_log_is_damage)
{
    const TwoLogs two;
    const OwnDisk disk = two.killed();
    BOOST_TEST(look(*copy_of(*disk)).head == 40U);
    some_positions(two.older_bytes.size(), [&](std::size_t at) {
        BOOST_TEST_REQUIRE(look_flipped(*disk, two.older, at).error == Error::damaged);
        BOOST_TEST_REQUIRE(look_cut(*disk, two.older, at).error == Error::damaged);
        BOOST_REQUIRE(at == 0 || !look_cut(*disk, two.newer, at / 4).error);
    });
}

BOOST_AUTO_TEST_CASE(bytes_after_the_last_write_of_an_older_log_are_no_damage)
{
    const TwoLogs two;
    const std::string mark = mark_bytes(LogMark::rotated, two.older_bytes.size());
    for (const std::string& tail : {std::string(5, 'x'), std::string(5000, '\0'),
                                    std::string(100, '\x7f'), mark, mark.substr(0, 11)}) {
        BOOST_TEST(look_with(*two.killed(), two.older, two.older_bytes + tail).head == 40U);
    }
}

BOOST_AUTO_TEST_CASE(a_log_that_the_manifest_names_is_missed)
{
    const OwnDisk disk = make(5, false);
    BOOST_TEST(look_without(*disk, names(*disk, ".log")).error == Error::damaged);
    const OwnDisk at_rest = make(5, true);
    BOOST_TEST(look_without(*at_rest, names(*at_rest, ".log")).error == Error::damaged);
    const TwoLogs two;
    BOOST_TEST(look_without(*two.killed(), {two.older}).error == Error::damaged);
    BOOST_TEST(look_without(*two.killed(), {two.older, two.newer}).error == Error::damaged);
}

BOOST_AUTO_TEST_CASE(a_missing_log_after_a_rotated_one_is_detected)
{
    const TwoLogs two;
    BOOST_TEST(look_without(*two.killed(), {two.newer}).head == two.rotated_after);
    const OwnDisk disk = two.killed(true);
    BOOST_TEST(look(*copy_of(*disk)).head == 40U);
    BOOST_TEST(look_without(*disk, {two.newer}).error == Error::damaged);
    BOOST_TEST(look_without(*disk, {two.older}).error == Error::damaged);
    // Nothing of it may be missing, even if the newer log is empty.
    some_positions(two.older_bytes.size(), [&](std::size_t at) {
        const OwnDisk changed = copy_of(*disk);
        changed->overwrite(two.newer, "");
        BOOST_TEST_REQUIRE(look_flipped(*changed, two.older, at).error == Error::damaged);
    });
}

BOOST_AUTO_TEST_CASE(a_log_of_a_set_length_is_read_to_its_zeros)
{
    const OwnDisk disk = make(60, false);
    const std::string name = names(*disk, ".log").front();
    const std::string log = disk->contents().at(name);
    for (const std::size_t zeros : {1, 4096, 40'000}) {
        BOOST_TEST(look_with(*disk, name, log + std::string(zeros, '\0')).head == 63U);
    }
}

// Records left by an earlier use of the disk may be valid in themselves.
BOOST_AUTO_TEST_CASE(an_old_record_after_the_end_is_not_taken_for_a_new_one)
{
    const OwnDisk disk = make(5, false);
    const std::string name = names(*disk, ".log").front();
    const std::string log = disk->contents().at(name);
    for (const std::uint64_t sequence : {1, 5, 1000}) {
        leveldb::WriteBatch batch;
        const std::string record = encode(WriteHeader{sequence, 1}) + "\x01\x01k\x01v";
        BOOST_TEST(look_with(*disk, name, log + fragments_of(record, log.size())).head == 8U);
    }
    const std::string old = encode(WriteHeader{1, 1}) + "\x01\x01k\x01v";
    const Found found = look_with(*disk, name, fragments_of(old, 0) + log.substr(20));
    BOOST_TEST(found.head == 3U);
    const std::string foreign = encode(WriteHeader{1000, 1}) + "\x01\x01k\x01v";
    BOOST_TEST(look_with(*disk, name, fragments_of(foreign, 0)).error == Error::damaged);
}

BOOST_AUTO_TEST_CASE(a_bad_manifest_is_damage_unless_nothing_is_missing)
{
    OwnDisk disk;
    {
        TwoLogs two;
        two.disk.release_background();
        while (names(two.disk, ".log").size() > 1) {
            std::this_thread::yield();
        }
        disk = copy_of(two.disk);
    }
    const std::string manifest = manifest_of(*disk);
    const std::string bytes = disk->contents().at(manifest);
    BOOST_TEST(look(*copy_of(*disk)).head == 40U);
    std::size_t damaged = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        for (const Found& found :
             {look_flipped(*disk, manifest, at), look_cut(*disk, manifest, at)}) {
            BOOST_REQUIRE(found.error ? found.error == Error::damaged : found.head == 40U);
            damaged += found.error ? 1 : 0;
        }
    }
    BOOST_TEST(damaged > bytes.size());
    // The last edit, of several pages, as a power cut may leave it.
    const std::string torn = fragments_of(std::string(70'000, 'e'), bytes.size());
    for (std::size_t lost = 0; lost < torn.size(); lost += 4096) {
        std::string left = torn.substr(0, torn.size() - 1);
        std::fill_n(left.begin() + static_cast<std::ptrdiff_t>(lost),
                    std::min<std::size_t>(4096, left.size() - lost), '\0');
        BOOST_TEST(look_with(*disk, manifest, bytes + left).head == 40U);
    }
}

// A temporary EMFILE, or a bad sector that can be read again: nothing may be considered missing.
BOOST_AUTO_TEST_CASE(a_call_that_fails_once_while_opening_loses_nothing)
{
    const TwoLogs two;
    for (const char* text : {"Too many open files", "Input/output error", "Permission denied"}) {
        for (std::uint64_t nth = 1;; ++nth) {
            const OwnDisk disk = two.killed();
            const auto before = disk->contents();
            FailingEnv env(*disk);
            env.fail(nth, text);
            std::string what;
            try {
                const auto store = Store::open(Options("/db"), &env);
                BOOST_TEST_REQUIRE(store->head_at_open() == 40U);
            } catch (const boost::system::system_error& error) {
                what = error.what();
                const bool sync = env.failed_call() == FailingEnv::Call::sync;
                const bool table = env.failure().ends_with(".ldb");
                BOOST_REQUIRE(error.code() == make_error_code(Error::open_failed) ||
                              error.code() == make_error_code(Error::read_only) ||
                              (table && error.code() == make_error_code(Error::damaged)));
                BOOST_TEST((sync || table || what.find(text) != std::string::npos), what);
                BOOST_TEST_REQUIRE(disk->contents() == before);
            }
            BOOST_TEST_CONTEXT(text << " at the " << env.failure() << ": " << what)
            {
                BOOST_TEST(look(*disk).head == 40U);
            }
            if (!env.failed_call()) {
                BOOST_TEST(nth > 40U);
                break;
            }
        }
    }
}

// LevelDB creates a new database if it finds no CURRENT.
BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_inspected_is_not_missing)
{
    const OwnDisk disk = make(1, true);
    FailingEnv failing(*disk);
    Environment unsure(&failing, &failing);
    const auto listing = [](FailingEnv::Call call, const std::string&) {
        return call == FailingEnv::Call::list;
    };
    BOOST_CHECK(!unsure.FileExists("/db/none"));
    failing.fail(1, "Input/output error");
    BOOST_CHECK(unsure.FileExists("/db/CURRENT"));
    failing.fail(1, "Input/output error", listing);
    BOOST_CHECK(unsure.FileExists("/db/none"));
}

BOOST_AUTO_TEST_CASE(a_short_read_is_not_the_end)
{
    const TwoLogs two;
    const OwnDisk disk = two.killed();
    FailingEnv env(*disk);
    env.read_little(true);
    BOOST_TEST(Store::open(Options("/db"), &env)->head_at_open() == 40U);
}

BOOST_AUTO_TEST_SUITE_END()
