// SPDX-License-Identifier: BSL-1.0
#include "watch/outbox.hpp"

#include "support/printing.hpp"
#include "support/watch/commits.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace keywatch::watch;

namespace {

std::vector<Entry> entries(Revision first, Revision last)
{
    std::vector<Entry> entries;
    for (Revision revision = first; revision <= last; ++revision) {
        entries.push_back({commit_of(revision), {}});
    }
    return entries;
}

Revision revision_of(const Outbox::Answer& answer)
{
    return answer.there ? answer.entry.commit->revision : 0;
}

}  // namespace

// `Outbox`: batches that a consumer takes and returns.
BOOST_AUTO_TEST_SUITE(test_outbox)

BOOST_AUTO_TEST_CASE(a_batch_is_taken_in_order_and_handed_back_once)
{
    Outbox outbox;
    BOOST_TEST(!outbox.take().handed_back);  // there was no batch
    BOOST_TEST(outbox.offer(entries(1, 2)) == 1U);
    BOOST_TEST(revision_of(outbox.take()) == 1U);
    BOOST_TEST(revision_of(outbox.take()) == 2U);
    const Outbox::Answer end = outbox.take();
    BOOST_TEST(!end.there);
    BOOST_TEST(end.handed_back);
    BOOST_TEST(!outbox.take().handed_back);
    BOOST_TEST(!outbox.shut());
    BOOST_TEST(outbox.settle().whole);
    BOOST_TEST(outbox.settle().delivered == 2U);
}

BOOST_AUTO_TEST_CASE(a_commit_seen_in_part_is_reported_once_when_it_is_delivered)
{
    Outbox outbox;
    std::vector<Entry> two = entries(5, 6);
    two[1].seen = 3;
    outbox.offer(std::move(two));
    BOOST_TEST(outbox.take().within.seen == 0U);
    BOOST_TEST(outbox.take().within.seen == 0U);
    const Outbox::Answer end = outbox.look();
    BOOST_TEST(end.delivered == 6U);
    BOOST_TEST(end.within.at == 6U);
    BOOST_TEST(end.within.revision == 5U);
    BOOST_TEST(end.within.seen == 3U);
    BOOST_TEST(outbox.look().within.seen == 0U);
}

BOOST_AUTO_TEST_CASE(a_commit_is_delivered_when_more_is_asked_for)
{
    Outbox outbox;
    outbox.offer(entries(5, 7));
    const Outbox::Answer first = outbox.look();
    BOOST_TEST(first.there);
    BOOST_TEST(first.delivered == 4U);  // nothing before the first commit is for the consumer
    BOOST_TEST(first.messages == 0U);
    BOOST_TEST(outbox.look().there);  // look() takes nothing
    BOOST_TEST(outbox.take().delivered == 4U);
    const Outbox::Answer looked = outbox.look();
    BOOST_TEST(looked.delivered == 5U);
    BOOST_TEST(looked.messages == 1U);
    BOOST_TEST(outbox.look().messages == 0U);  // counted once
    BOOST_TEST(revision_of(outbox.take()) == 6U);
    BOOST_TEST(outbox.take().delivered == 6U);
}

BOOST_AUTO_TEST_CASE(revisions_between_two_commits_are_passed_with_the_next_one)
{
    Outbox outbox;
    std::vector<Entry> sparse = entries(3, 3);
    sparse.push_back({commit_of(9), {}});
    outbox.offer(std::move(sparse));
    outbox.take();
    BOOST_TEST(outbox.take().delivered == 8U);
}

BOOST_AUTO_TEST_CASE(only_selected_messages_count)
{
    Outbox outbox;
    outbox.offer({{make_commit(1, {put_of("a"), put_of("b"), put_of("c")}), {0, 2}}});
    BOOST_TEST(outbox.take().entry.messages() == 2U);
    BOOST_TEST(outbox.look().messages == 2U);
}

BOOST_AUTO_TEST_CASE(shutting_drops_the_rest_of_the_batch_and_hands_it_back)
{
    Outbox outbox;
    outbox.offer(entries(1, 5));
    outbox.take();
    outbox.take();
    BOOST_TEST(outbox.shut());
    BOOST_TEST(!outbox.shut());
    BOOST_TEST(!outbox.settle().whole);
    BOOST_TEST(outbox.settle().delivered == 1U);
    const Outbox::Answer after = outbox.take();
    BOOST_TEST(!after.there);
    BOOST_TEST(!after.handed_back);
    BOOST_TEST(after.delivered == 2U);  // the consumer has asked after the end
    BOOST_TEST(outbox.offer(entries(6, 6)) == 0U);
    BOOST_TEST(!outbox.look().there);
}

BOOST_AUTO_TEST_CASE(in_a_hurry_a_batch_is_handed_back_when_all_of_it_was_taken)
{
    Outbox outbox;
    outbox.offer(entries(1, 2));
    outbox.take();
    BOOST_TEST(!outbox.hurry());
    BOOST_TEST(outbox.take().handed_back);
    BOOST_TEST(outbox.settle().whole);
    BOOST_TEST(outbox.settle().delivered == 1U);
    BOOST_TEST(outbox.is_busy());
    BOOST_TEST(!outbox.pass(7));  // the consumer has commit 2
    outbox.offer(entries(9, 9));
    const Outbox::Answer next = outbox.take();
    BOOST_TEST(next.handed_back);
    BOOST_TEST(next.messages == 1U);
    BOOST_TEST(next.delivered == 8U);
    BOOST_TEST(!outbox.pass(12));
    const Outbox::Answer end = outbox.take();
    BOOST_TEST(!end.there);
    BOOST_TEST(!end.handed_back);
    BOOST_TEST(end.delivered == 12U);
    BOOST_TEST(!outbox.is_busy());
    BOOST_TEST(outbox.pass(13));
}

BOOST_AUTO_TEST_CASE(a_batch_that_was_taken_completely_is_handed_back_by_hurry)
{
    Outbox outbox;
    BOOST_TEST(!outbox.hurry());  // there is no batch
    Outbox other;
    other.offer(entries(1, 1));
    other.take();
    BOOST_TEST(other.hurry());
    BOOST_TEST(!other.hurry());
    BOOST_TEST(!other.take().handed_back);
}

BOOST_AUTO_TEST_CASE(batches_have_ascending_numbers)
{
    Outbox outbox;
    BOOST_TEST(outbox.look().batches == 0U);
    for (std::uint64_t number = 1; number <= 3; ++number) {
        BOOST_TEST(outbox.offer(entries(number, number)) == number);
        BOOST_TEST(outbox.take().batches == number);
        BOOST_TEST(outbox.take().handed_back);
    }
}

// Exactly one of the two calls restarts the worker, whichever comes first.
BOOST_AUTO_TEST_CASE(a_consumer_and_a_concurrent_shut_hand_back_once)
{
    for (int round = 0; round < 2000; ++round) {
        Outbox outbox;
        outbox.offer(entries(1, 2));
        std::atomic<int> handed_back{0};
        std::atomic<bool> begin{false};
        std::thread consumer([&] {
            while (!begin) {
            }
            for (int i = 0; i < 3; ++i) {
                handed_back += outbox.take().handed_back ? 1 : 0;
            }
        });
        begin = true;
        handed_back += outbox.shut() ? 1 : 0;
        consumer.join();
        BOOST_TEST(handed_back == 1);
    }
}

BOOST_AUTO_TEST_SUITE_END()
