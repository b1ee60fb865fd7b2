// SPDX-License-Identifier: BSL-1.0
#include "storage/backup/backup_directory.hpp"
#include "storage/backup/restore.hpp"
#include "storage/backup/store_backup.hpp"
#include "storage/store.hpp"
#include "support/printing.hpp"
#include "support/storage/failing_env.hpp"
#include "support/storage/power_loss_env.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace keywatch;
using namespace keywatch::storage;
using namespace keywatch::test;

namespace {

constexpr Revision before = 40;

Options options(const char* location = "/db")
{
    Options some(location);
    some.write_buffer_bytes = std::size_t{1} << 16;
    return some;
}

/// Returns the files of a killed process: tables that wait for a compaction, and two logs.
std::unique_ptr<PowerLossEnv> make_database()
{
    PowerLossEnv disk;
    for (int tables = 0; tables < 3; ++tables) {
        const auto store = Store::open(options(), &disk);
        Committer committer(*store);
        while (committer.head() % 10 != 9) {
            committer.commit(1, 200);
        }
        committer.commit(1, 200);
    }
    const auto store = Store::open(options(), &disk);
    Committer committer(*store);
    disk.hold_background();
    committer.commit(1, 1000, true);
    store->prepare_rotation();
    while (committer.head() < before) {
        committer.commit(1, 200, true);
    }
    auto killed = disk.survivors(Survival::everything());
    disk.release_background();
    return killed;
}

/// One life of a store in which one call of the system fails.
class LifeWithFailure {
public:
    LifeWithFailure(const PowerLossEnv& database, std::uint64_t nth, const char* text)
        : disk_(database.survivors(Survival::everything())), env_(*disk_)
    {
        env_.fail(nth, text);
    }

    /// Returns true if there were enough calls for the failing one to be reached.
    bool failed() const { return env_.failed_call().has_value(); }
    std::string failure() const { return env_.failure() + told_; }

    void live()
    {
        const auto files = disk_->contents();
        std::unique_ptr<Store> store;
        if (!try_to({Error::open_failed, Error::read_only},
                    [&] { store = Store::open(options(), &env_); })) {
            BOOST_TEST(disk_->contents() == files);
            return;
        }
        BOOST_TEST_REQUIRE(store->head_at_open() == before);
        state_ = store->history_at_open();
        committer_ = std::make_unique<Committer>(*store);
        write(*store, 8);
        if (!store->failed()) {
            try_to({Error::storage_failed}, [&] { store->prepare_rotation(); });
        }
        write(*store, 8);
        trim(*store);
        read(*store);
        back_up(*store);
        while ((logs() > 1 || !compacted(files)) && !failed()) {
            std::this_thread::yield();
        }
        write(*store, 4);
        committer_.reset();
        store.reset();
    }

    /// Checks the files after the failure: everything acknowledged is there, even after a power
    /// cut.
    void check(std::uint64_t seed) const
    {
        for (const Survival& survival : {Survival::everything(), Survival::random(seed)}) {
            const auto after = disk_->survivors(survival);
            const auto store = Store::open(options(), after.get());
            const Revision head = store->head_at_open();
            BOOST_TEST(head >= acknowledged_);
            BOOST_TEST(head <= std::max(attempted_, before));
            check_commits(*store, head);
        }
        if (backed_up_ != 0) {
            BOOST_TEST(Store::open(options("/backup"), disk_.get())->head_at_open() == backed_up_);
        } else {
            BOOST_CHECK(!disk_->FileExists("/backup/KEYWATCH"));
        }
    }

private:
    /// Returns true if `act` succeeds. Otherwise it must fail for one of these reasons.
    bool try_to(std::initializer_list<Error> reasons, const std::function<void()>& act)
    {
        try {
            act();
            return true;
        } catch (const boost::system::system_error& error) {
            told_ += std::string("; ") + error.what();
            BOOST_TEST(
                std::ranges::any_of(
                    reasons, [&](Error each) { return error.code() == make_error_code(each); }),
                error.what());
        }
        return false;
    }

    /// Returns true if the old tables were removed. All of them overlap, so they are removed
    /// together.
    bool compacted(const std::map<std::string, std::string>& files) const
    {
        const auto now = disk_->contents();
        return std::ranges::none_of(files, [&](const auto& file) {
            return file.first.ends_with(".ldb") && now.contains(file.first);
        });
    }

    std::ptrdiff_t logs() const
    {
        return std::ranges::count_if(disk_->contents(), [](const auto& file) {
            return file.first.starts_with("/db/") && file.first.ends_with(".log");
        });
    }

    void write(Store& store, int commits)
    {
        for (int i = 0; i < commits && !store.failed(); ++i) {
            ++attempted_;
            if (try_to({Error::storage_failed}, [&] { committer_->commit(2, 2000, true); })) {
                acknowledged_ = attempted_;
            } else {
                BOOST_CHECK(store.failed());
            }
        }
    }

    void trim(Store& store)
    {
        state_.newest = acknowledged_;
        state_.newest_totals = committer_->totals();
        HistoryLimits limits = keep_all();
        limits.commits = 30;
        if (!store.failed()) {
            try_to({Error::storage_failed}, [&] { store.trim(state_, limits, Time{}, 100); });
        }
    }

    void read(const Store& store)
    {
        try_to({Error::storage_failed}, [&] { check_commits(store, acknowledged_); });
    }

    static void check_commits(const Store& store, Revision head)
    {
        for (Revision revision = 1; revision <= head; ++revision) {
            BOOST_REQUIRE(has_data(store, revision));
        }
        HistorySlice slice = store.read_history(0, head, {SIZE_MAX, SIZE_MAX});
        const Revision oldest = slice.compacted.value_or(1);
        slice = store.read_history(oldest - 1, head, {SIZE_MAX, SIZE_MAX});
        BOOST_TEST_REQUIRE(revisions(slice) == range(oldest, head));
    }

    void back_up(const Store& store)
    {
        if (store.failed()) {
            return;
        }
        try_to({Error::backup_failed, Error::storage_failed}, [&] {
            BackupDirectory target(backup_location("/backup", &env_));
            const auto backup = store.start_backup();
            backup->copy_to(target, [] {});
            target.keep();
            backed_up_ = backup->identity().revision;
        });
    }

    std::unique_ptr<PowerLossEnv> disk_;
    FailingEnv env_;
    std::unique_ptr<Committer> committer_;
    HistoryState state_;
    Revision attempted_ = before;
    Revision acknowledged_ = before;
    Revision backed_up_ = 0;
    std::string told_;
};

}  // namespace

// System calls that fail once, in the life of a database.
BOOST_AUTO_TEST_SUITE(test_failing_calls)

// KEYWATCH_ALL=1 makes each call fail in every way.
BOOST_AUTO_TEST_CASE(a_call_that_fails_once_loses_no_acknowledged_commit)
{
    constexpr std::array texts{"Input/output error", "Too many open files",
                               "No space left on device", "Permission denied"};
    const std::size_t ways = std::getenv("KEYWATCH_ALL") != nullptr ? texts.size() : 1;
    const auto database = make_database();
    bool failed = true;
    for (std::uint64_t nth = 1; failed; ++nth) {
        for (std::size_t way = 0; way < ways; ++way) {
            LifeWithFailure life(*database, nth, texts[(nth + way) % texts.size()]);
            life.live();
            failed = life.failed();
            BOOST_TEST_CONTEXT("call " << nth << ", " << life.failure())
            {
                life.check(nth);
            }
        }
        BOOST_REQUIRE(failed || nth > 300U);
    }
}

BOOST_AUTO_TEST_SUITE_END()
