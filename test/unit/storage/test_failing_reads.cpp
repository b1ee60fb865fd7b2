// SPDX-License-Identifier: BSL-1.0
#include "storage/backup/backup_directory.hpp"
#include "storage/backup/restore.hpp"
#include "storage/backup/store_backup.hpp"
#include "storage/store.hpp"
#include "support/printing.hpp"
#include "support/storage/failing_env.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Tables that the system temporarily cannot read: no operation takes that for damage, or for a
// result.
using namespace keywatch;
using namespace keywatch::storage;
using namespace keywatch::test;

namespace {

constexpr const char* reasons[] = {"Too many open files", "Input/output error", "Permission denied",
                                   "Cannot allocate memory"};

bool is_table_read(FailingEnv::Call call, const std::string& name)
{
    return (call == FailingEnv::Call::open || call == FailingEnv::Call::read) &&
           name.ends_with(".ldb");
}

/// Same, without the reads of compactions, which LevelDB repeats by itself.
bool is_read_of_operation(FailingEnv::Call call, const std::string& name)
{
    return !BackgroundThread::is_current() && is_table_read(call, name);
}

/// An operation that returns its result as text.
using Operation = std::function<std::string(Store&)>;

std::string text(const HistorySlice& slice)
{
    std::string text;
    for (const auto& commit : slice.commits) {
        text +=
            std::to_string(commit->revision) + ' ' + std::to_string(commit->bytes.size()) + '\n';
    }
    return text + std::to_string(slice.reached);
}

std::string all_keys(Store& store)
{
    std::string keys;
    const auto iterator = store.iterate(nullptr, false);
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
        keys += iterator->key().ToString() + '\n';
    }
    for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev()) {
        keys += iterator->key().ToString() + '\n';
    }
    return keys;
}

std::string copy_all(Store& store)
{
    PowerLossEnv copied;
    BackupDirectory target(backup_location("/copy", &copied));
    store.start_backup()->copy_to(target, [] {});
    target.keep();
    std::size_t bytes = 0;
    for (const auto& [name, file] : copied.contents()) {
        bytes += name.ends_with(".ldb") ? file.size() : 0;
    }
    return std::to_string(bytes);
}

std::string plan(Store& store)
{
    HistoryLimits limits = keep_all();
    limits.commits = 10;
    std::string text;
    for (const TrimStep& step : store.plan_trim(store.history_at_open(), limits, {}, {10, 50})) {
        text += std::to_string(step.records) + '\n';
    }
    return text;
}

std::vector<std::pair<std::string, Operation>> operations()
{
    const std::string last_key = data_prefix(1) + "r150";
    return {
        {"get", [=](Store& store) { return store.get(last_key, nullptr).value_or("nothing"); }},
        {"iterate", all_keys},
        {"read_history",
         [](Store& store) { return text(store.read_history(0, 150, {SIZE_MAX, SIZE_MAX})); }},
        {"revision",
         [](Store& store) { return std::to_string(store.revision(*store.snapshot())); }},
        {"time_of",
         [](Store& store) { return store.time_of(90, *store.snapshot()) ? "there" : "nothing"; }},
        {"unseen",
         [](Store& store) { return std::to_string(store.unseen(50, {}).value().before.messages); }},
        {"cursor_lags",
         [](Store& store) { return std::to_string(store.cursor_lags({}).at(0).messages); }},
        {"first_deadline",
         [](Store& store) { return store.first_deadline(Time::min()) ? "some" : "none"; }},
        {"plan_trim", plan},
        {"backup", copy_all},
    };
}

/// A store whose data is in tables of several levels.
struct Tables {
    Tables()
    {
        std::unique_ptr<Store> store = Store::open(options(), &disk);
        Committer committer(*store);
        for (int i = 0; i < 150; ++i) {
            committer.commit(1, 1500);
        }
        Batch batch;
        batch.put(cursor_key("c"), encode_cursor({40, {}}));
        batch.put(deadline_key(Time{std::chrono::hours{1}}, data_prefix(1) + "r1"), {});
        store->write(batch, false);
        store.reset();
        store = Store::open(options(), &disk);  // the log has become a table
    }

    static Options options()
    {
        Options options("/db");
        options.write_buffer_bytes = std::size_t{64} << 10;
        return options;
    }

    PowerLossEnv disk;
    FailingEnv env{disk};
};

/// Returns the message of the exception that an operation throws; empty if it does not throw.
template <class Function>
std::string failure_text(Error expected, Function function)
{
    try {
        function();
    } catch (const boost::system::system_error& error) {
        BOOST_TEST((error.code() == expected), error.what());
        return error.what();
    }
    return {};
}

}  // namespace

// Reads that the system refuses.
BOOST_FIXTURE_TEST_SUITE(test_failing_reads, Tables)

BOOST_AUTO_TEST_CASE(a_read_that_the_system_refuses_fails_in_its_words_and_the_next_one_is_right)
{
    std::size_t turn = 0;
    for (const auto& [name, operation] : operations()) {
        const std::string expected = operation(*Store::open(options(), &env));
        int failures = 0;
        for (std::uint64_t nth = 1;; ++nth) {
            const auto store = Store::open(options(), &env);
            const std::string reason = reasons[turn++ % std::size(reasons)];
            env.fail(nth, reason, is_read_of_operation);
            std::string given;
            const std::string failure =
                failure_text(Error::storage_failed, [&] { given = operation(*store); });
            if (!env.failed_call()) {
                env.fail(0, "");
                break;
            }
            ++failures;
            BOOST_TEST_CONTEXT(name << ", number " << nth << ": " << env.failure())
            {
                BOOST_TEST(failure.find(reason) != std::string::npos, failure);
                BOOST_TEST(operation(*store) == expected);
            }
        }
        BOOST_TEST(failures > 0, name);
    }
}

BOOST_AUTO_TEST_CASE(an_open_that_cannot_read_a_table_fails_with_the_reason_of_the_system)
{
    Revision head = 0;
    for (std::uint64_t nth = 1;; ++nth) {
        const auto before = disk.contents();
        const std::string reason = reasons[nth % std::size(reasons)];
        env.fail(nth, reason, is_read_of_operation);
        std::unique_ptr<Store> store;
        const std::string failure =
            failure_text(Error::open_failed, [&] { store = Store::open(options(), &env); });
        if (!env.failed_call()) {
            head = store->head_at_open();
            BOOST_TEST(nth > 3U);
            break;
        }
        BOOST_TEST(failure.find(reason) != std::string::npos, failure);
        BOOST_TEST(disk.contents() == before);
    }
    BOOST_TEST(head == 150U);
}

// LevelDB refuses all writes after a failed compaction.
BOOST_AUTO_TEST_CASE(writes_after_a_failed_compaction_fail_with_the_reason_of_the_system)
{
    auto store = Store::open(options(), &env);
    env.fail(1, "Too many open files", [](FailingEnv::Call call, const std::string& name) {
        return BackgroundThread::is_current() && is_table_read(call, name);
    });
    Committer committer(*store);
    const auto commit_much = [&] {
        for (int i = 0; i < 2000; ++i) {
            committer.commit(1, 1500);
        }
    };
    for (int i = 0; i < 3; ++i) {
        const std::string failure = failure_text(Error::storage_failed, commit_much);
        BOOST_TEST(failure.find("Too many open files") != std::string::npos, failure);
    }
    store.reset();
    BOOST_TEST(Store::open(options(), &env)->head_at_open() >= 150U);
}

BOOST_AUTO_TEST_SUITE_END()
