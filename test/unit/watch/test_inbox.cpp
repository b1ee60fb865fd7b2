// SPDX-License-Identifier: BSL-1.0
#include "watch/inbox.hpp"

#include "support/printing.hpp"
#include "support/watch/commits.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace keywatch::watch;

namespace {

constexpr Budget of_three{3, 1000 * 1000};

Inbox::Push push(Inbox& inbox, Revision revision)
{
    return inbox.push({commit_of(revision), {}});
}

std::vector<Revision> revisions(const Inbox::Taken& taken)
{
    std::vector<Revision> revisions;
    for (const Entry& each : taken.entries) {
        revisions.push_back(each.commit->revision);
    }
    return revisions;
}

using Revisions = std::vector<Revision>;

}  // namespace

// `Inbox`: entries, signals and the sleep of its worker.
BOOST_AUTO_TEST_SUITE(test_inbox)

BOOST_AUTO_TEST_CASE(entries_are_taken_once_and_in_order)
{
    Inbox inbox(of_three);
    push(inbox, 1);
    push(inbox, 2);
    BOOST_TEST(revisions(inbox.take()) == (Revisions{1, 2}));
    BOOST_TEST(inbox.take().entries.empty());
}

BOOST_AUTO_TEST_CASE(a_full_inbox_is_discarded_and_reports_it_once)
{
    Inbox inbox(of_three);
    for (Revision revision = 1; revision <= 3; ++revision) {
        BOOST_TEST(push(inbox, revision) == Inbox::Push::queued);
    }
    BOOST_TEST(push(inbox, 4) == Inbox::Push::full);
    const Inbox::Taken taken = inbox.take();
    BOOST_TEST(taken.entries.empty());
    BOOST_TEST(taken.signals.fell_behind);
    BOOST_TEST(!inbox.take().signals.fell_behind);
    BOOST_TEST(push(inbox, 5) == Inbox::Push::queued);  // its space was released
}

BOOST_AUTO_TEST_CASE(only_selected_messages_count)
{
    Inbox inbox(of_three);
    const auto commit = make_commit(1, {put_of("a"), put_of("b"), put_of("c"), put_of("d")});
    BOOST_TEST(inbox.push({commit, {1}}) == Inbox::Push::queued);
    BOOST_TEST(inbox.push({commit, {1, 2}}) == Inbox::Push::queued);
    BOOST_TEST(inbox.push({commit, {3}}) == Inbox::Push::full);
}

// W10: one small matching message keeps its whole commit in memory.
BOOST_AUTO_TEST_CASE(bytes_count_whole_commits)
{
    constexpr std::size_t large = 10000;
    Inbox inbox({1000, 3 * large});
    int queued = 0;
    while (inbox.push({make_commit(1, {put_of("k")}, large), {}}) == Inbox::Push::queued) {
        ++queued;
    }
    BOOST_TEST(queued == 2);
}

// Trap 1: a commit larger than the queue.
BOOST_AUTO_TEST_CASE(a_single_commit_above_every_limit_passes)
{
    Inbox inbox({1, 1});
    const auto commit = make_commit(1, {put_of("a"), put_of("b")});
    BOOST_TEST(inbox.push({commit, {}}) == Inbox::Push::queued);
    BOOST_TEST(inbox.take().entries.size() == 1U);
    BOOST_TEST(inbox.push({commit, {}}) == Inbox::Push::queued);
    BOOST_TEST(inbox.push({commit, {}}) == Inbox::Push::full);
}

BOOST_AUTO_TEST_CASE(the_first_push_or_signal_wakes_a_sleeping_worker)
{
    Inbox inbox(of_three);
    BOOST_TEST(push(inbox, 1) == Inbox::Push::queued);  // it is initially running
    inbox.take();
    BOOST_TEST(inbox.sleep(true));
    BOOST_TEST(push(inbox, 2) == Inbox::Push::queued_wake);
    BOOST_TEST(push(inbox, 3) == Inbox::Push::queued);
    inbox.take();
    BOOST_TEST(inbox.sleep(true));
    BOOST_TEST(inbox.signal([](Signals& signals) { signals.stop = true; }));
    BOOST_TEST(!inbox.signal([](Signals& signals) { signals.cancel = true; }));
}

BOOST_AUTO_TEST_CASE(a_full_inbox_wakes_a_sleeper)
{
    Inbox inbox({0, 0});
    push(inbox, 1);
    inbox.take();
    BOOST_TEST(inbox.sleep(true));
    push(inbox, 2);
    inbox.take();
    BOOST_TEST(inbox.sleep(true));
    // Two commits while the worker sleeps: the first one passes alone and wakes it.
    BOOST_TEST(push(inbox, 3) == Inbox::Push::queued_wake);
    BOOST_TEST(push(inbox, 4) == Inbox::Push::full);
}

BOOST_AUTO_TEST_CASE(a_worker_does_not_sleep_if_there_is_something_to_take)
{
    Inbox inbox(of_three);
    push(inbox, 1);
    BOOST_TEST(!inbox.sleep(true));
    inbox.take();
    inbox.signal([](Signals& signals) { signals.stop = true; });
    BOOST_TEST(!inbox.sleep(true));
    BOOST_TEST(inbox.signals().stop);
    BOOST_TEST(inbox.sleep(true));  // that signal was read
}

// W11: an end that comes between reading the signals and taking the entries.
BOOST_AUTO_TEST_CASE(an_unread_signal_prevents_sleep_whatever_is_taken)
{
    Inbox inbox(of_three);
    BOOST_TEST(!inbox.signals().stop);
    inbox.signal([](Signals& signals) { signals.stop = true; });
    inbox.take();
    BOOST_TEST(!inbox.sleep(true));
}

// Trap 6: a signal that ends a watch must not be dropped together with entries.
BOOST_AUTO_TEST_CASE(signals_survive_an_overflow_and_being_taken)
{
    Inbox inbox(of_three);
    inbox.signal([](Signals& signals) {
        signals.close_at = 7;
        signals.bucket_deleted = true;
    });
    inbox.detach(5);
    for (Revision revision = 1; revision <= 4; ++revision) {
        push(inbox, revision);
    }
    BOOST_TEST(inbox.take().signals.fell_behind);
    const Signals signals = inbox.take().signals;
    BOOST_TEST(signals.close_at == Revision{7});
    BOOST_TEST(signals.bucket_deleted);
    BOOST_TEST(signals.detached_at == 5U);
    BOOST_TEST(inbox.signals().close_at == Revision{7});
}

BOOST_AUTO_TEST_CASE(detaching_does_not_wake_the_worker)
{
    Inbox inbox(of_three);
    BOOST_TEST(inbox.sleep(true));
    inbox.detach(5);
    BOOST_TEST(push(inbox, 5) == Inbox::Push::queued_wake);
}

// W7
BOOST_AUTO_TEST_CASE(only_a_live_sleeper_is_up_to_date)
{
    Inbox inbox(of_three);
    BOOST_TEST(!inbox.up_to_date(9));  // running
    BOOST_TEST(inbox.sleep(false));
    BOOST_TEST(!inbox.up_to_date(9));  // asleep, but before its start
    inbox.signal([](Signals&) {});
    inbox.signals();
    BOOST_TEST(inbox.sleep(true));
    BOOST_TEST(inbox.up_to_date(9) == Revision{9});
    push(inbox, 10);
    BOOST_TEST(!inbox.up_to_date(10));
}

BOOST_AUTO_TEST_CASE(a_detached_subscriber_is_up_to_date_at_most_to_its_end)
{
    Inbox inbox(of_three);
    BOOST_TEST(inbox.sleep(true));
    inbox.detach(5);
    BOOST_TEST(inbox.up_to_date(4) == Revision{4});
    BOOST_TEST(inbox.up_to_date(9) == Revision{5});
}

// Invariants 1 and 2 with two threads: each wake-up starts one worker, and none is lost.
BOOST_AUTO_TEST_CASE(a_producer_never_misses_a_sleeping_worker)
{
    constexpr Revision last = 50000;
    Inbox inbox({1000 * 1000, std::size_t{1} << 40});
    std::atomic<int> wakes{0};
    std::thread producer([&] {
        for (Revision revision = 1; revision <= last; ++revision) {
            if (push(inbox, revision) == Inbox::Push::queued_wake) {
                wakes.fetch_add(1);
                wakes.notify_one();
            }
        }
    });
    Revision next = 1;
    bool ordered = true;
    while (next <= last) {
        for (const Entry& each : inbox.take().entries) {
            ordered = ordered && each.commit->revision == next++;
        }
        if (next <= last && inbox.sleep(true)) {
            wakes.wait(0);  // hangs here if the wake-up is lost
            ordered = ordered && wakes.fetch_sub(1) == 1;
        }
    }
    producer.join();
    BOOST_TEST(ordered);
    BOOST_TEST(wakes == 0);
}

BOOST_AUTO_TEST_SUITE_END()
