// SPDX-License-Identifier: BSL-1.0
#include "embedded/commit/writer_lock.hpp"

#include "support/loop/event_loop.hpp"
#include "support/printing.hpp"

#include <keywatch/error.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::embedded;
using keywatch::test::Job;
using keywatch::test::Task;

namespace {

/// Several event loops, some of them blocked, and a writer lock.
///
/// The model is the list of waiters in the order of their calls. After each step, the loops that
/// are not blocked run until they are idle. A waiter there is therefore never late, and must
/// acquire the lock before all waiters that came after it.
class Walk {
public:
    explicit Walk(unsigned seed) : random_(seed) {}

    void step()
    {
        switch (pick(12)) {
        case 0:
        case 1:
        case 2:
        case 3:
            acquire(pick(loops_.size()));
            break;
        case 4:
        case 5:
            release();
            break;
        case 6:
            cancel();
            break;
        case 7:
            block(pick(loops_.size()));
            break;
        case 8:
            pause();
            break;
        case 9:
            try_acquire();
            break;
        default:
            look_later();
            break;
        }
        rest();
    }

    /// Unblocks everything: all waiters acquire the lock, in order.
    void finish()
    {
        if (paused_) {
            pause();
            rest();
        }
        for (Loop& each : loops_) {
            if (each.blocked) {
                each.blocked = false;
                rest();
            }
        }
        for (std::size_t left = waiting_.size() + 1; left > 0; --left) {
            release();
            rest();
        }
        BOOST_TEST(waiting_.empty());
        BOOST_TEST(lock_->waiting() == 0U);
        BOOST_TEST(!holder_);
        BOOST_TEST(lock_->try_acquire());
    }

    void refuse()
    {
        lock_->refuse(std::make_exception_ptr(
            boost::system::system_error(make_error_code(Error::storage_failed))));
        for (const Waiting& each : waiting_) {
            refused_.push_back(each.name);
        }
        waiting_.clear();
        for (Loop& each : loops_) {
            each.blocked = false;
        }
        rest();
        BOOST_TEST(refused_.empty());
        BOOST_TEST(lock_->waiting() == 0U);
    }

private:
    struct Loop {
        asio::io_context context{1};
        bool blocked = false;
    };
    struct Waiting {
        int name;
        std::size_t loop;
        Job job;
    };

    std::size_t pick(std::size_t count) { return random_() % count; }

    Task take(int name)
    {
        bool refused = false;
        try {
            co_await lock_->acquire();
        } catch (const boost::system::system_error& error) {
            refused = error.code() == make_error_code(Error::storage_failed);
            if (!refused) {
                throw;
            }
        }
        if (refused) {
            BOOST_TEST(std::erase(refused_, name) == 1U);
        } else {
            taken(name);
        }
    }

    void taken(int name)
    {
        BOOST_TEST(!holder_);
        BOOST_TEST(!paused_);
        const auto first = std::ranges::find_if(
            waiting_, [this](const Waiting& each) { return !loops_[each.loop].blocked; });
        BOOST_REQUIRE(first != waiting_.end());
        BOOST_REQUIRE_EQUAL(first->name, name);
        holder_ = name;
        waiting_.erase(first);
    }

    void acquire(std::size_t loop)
    {
        if (loops_[loop].blocked) {
            return;  // a blocked loop cannot call
        }
        const int name = next_name_++;
        waiting_.push_back({name, loop, Job(loops_[loop].context.get_executor(), take(name))});
    }

    void try_acquire()
    {
        if (lock_->try_acquire()) {
            BOOST_TEST(!holder_);
            BOOST_TEST(!paused_);
            BOOST_TEST(waiting_.empty());
            holder_ = next_name_++;
        }
    }

    void release()
    {
        if (std::exchange(holder_, std::nullopt)) {
            lock_->release();
        }
    }

    void cancel()
    {
        if (!waiting_.empty()) {
            const auto at = waiting_.begin() + static_cast<std::ptrdiff_t>(pick(waiting_.size()));
            if (loops_[at->loop].blocked) {
                return;  // it would be notified when its loop runs
            }
            const Job job = at->job;
            waiting_.erase(at);
            job.cancel();
        }
    }

    void block(std::size_t loop) { loops_[loop].blocked = !loops_[loop].blocked; }

    void pause()
    {
        paused_ = !paused_;
        if (paused_) {
            lock_->pause();
        } else {
            lock_->resume();
        }
    }

    /// Checks that after two looks, waiters on blocked loops delay no other waiter.
    void look_later()
    {
        for (int looks = 0; looks < 2; ++looks) {
            now_ += WriterLock::patience;
            lock_->skip_blocked();
            rest();
        }
        const bool somebody_runs = std::ranges::any_of(
            waiting_, [this](const Waiting& each) { return !loops_[each.loop].blocked; });
        BOOST_TEST((holder_ || paused_ || !somebody_runs));
    }

    void rest()
    {
        for (std::size_t ran = 1; ran > 0;) {
            ran = 0;
            for (Loop& each : loops_) {
                if (!each.blocked) {
                    each.context.restart();
                    ran += each.context.poll();
                }
            }
        }
    }

    std::mt19937 random_;
    WriterLock::Clock::time_point now_;
    std::shared_ptr<WriterLock> lock_ = std::make_shared<WriterLock>([this] { return now_; });
    std::deque<Waiting> waiting_;
    std::vector<int> refused_;
    std::optional<int> holder_;
    bool paused_ = false;
    int next_name_ = 0;
    std::array<Loop, 4> loops_;
};

/// Returns the number of walks; KEYWATCH_WALKS sets it.
unsigned walks()
{
    const char* const given = std::getenv("KEYWATCH_WALKS");
    return given != nullptr ? static_cast<unsigned>(std::atoi(given)) : 60;
}

}  // namespace

// Random walks of writers on event loops that are blocked and unblocked, compared with a model.
BOOST_AUTO_TEST_SUITE(test_writer_lock_model)

BOOST_AUTO_TEST_CASE(waiters_on_running_loops_acquire_the_lock_in_order_and_none_is_lost)
{
    for (unsigned seed = 1; seed <= walks(); ++seed) {
        BOOST_TEST_CONTEXT("seed " << seed)
        {
            Walk walk(seed);
            for (int i = 0; i < 400; ++i) {
                walk.step();
            }
            if (seed % 4 == 0) {
                walk.refuse();
            } else {
                walk.finish();
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
