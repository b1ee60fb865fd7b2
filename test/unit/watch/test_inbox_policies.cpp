// SPDX-License-Identifier: BSL-1.0
#include "watch/inbox.hpp"

#include "support/printing.hpp"
#include "support/watch/commits.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace keywatch::watch;

namespace {

constexpr Budget of_two{2, 1000 * 1000};

Inbox::Push push(Inbox& inbox, Revision revision, std::string key = "k")
{
    return inbox.push({commit_of(revision, std::move(key)), {}});
}

/// The inbox of a subscriber that has caught up.
struct LiveInbox : Inbox {
    explicit LiveInbox(Budget budget, Overflow overflow = Overflow::catch_up,
                       std::shared_ptr<SharedBytes> shared = nullptr)
        : Inbox(budget, overflow, std::move(shared))
    {
        take();
    }
};

/// Returns `<revision>` for a commit, `<first>-<last>x<count>` for a gap.
std::vector<std::string> lines(const Inbox::Taken& taken)
{
    std::vector<std::string> lines;
    for (const Entry& each : taken.entries) {
        const Message& message = each.commit->messages.at(0);
        std::string line = std::to_string(each.commit->revision);
        if (message.operation == Operation::gap) {
            BOOST_TEST(each.messages() == 1U);
            line = std::to_string(message.first_revision) + '-' + line + 'x' +
                   std::to_string(*message.count);
        }
        lines.push_back(line);
    }
    return lines;
}

using Strings = std::vector<std::string>;

std::size_t bytes_of(Revision revision)
{
    return commit_of(revision)->pinned_bytes();
}

}  // namespace

// `Inbox` with the overflow policies `skip` and `latest`.
BOOST_AUTO_TEST_SUITE(test_inbox_policies)

// W3: a gap reports what was skipped, after the queued entries and before the next one.
BOOST_AUTO_TEST_CASE(skip_skips_what_does_not_fit_and_reports_it)
{
    LiveInbox inbox(of_two, Overflow::skip);
    for (Revision revision = 1; revision <= 5; ++revision) {
        BOOST_TEST(push(inbox, revision) == Inbox::Push::queued);
    }
    const Inbox::Taken taken = inbox.take();
    BOOST_TEST(lines(taken) == (Strings{"1", "2", "3-5x3"}));
    BOOST_TEST(!taken.signals.fell_behind);
    BOOST_TEST(taken.entries[2].commit->previous == 2U);
    push(inbox, 6);
    BOOST_TEST(lines(inbox.take()) == Strings{"6"});
}

BOOST_AUTO_TEST_CASE(a_gap_counts_the_messages_for_the_subscriber)
{
    LiveInbox inbox(of_two, Overflow::skip);
    push(inbox, 1);
    push(inbox, 2);
    inbox.push({make_commit(3, {put_of("a"), put_of("b"), put_of("c")}), {0, 2}});
    inbox.push({make_commit(7, {put_of("a"), put_of("b"), put_of("c")}), {}});
    BOOST_TEST(lines(inbox.take()) == (Strings{"1", "2", "3-7x5"}));
}

BOOST_AUTO_TEST_CASE(entries_that_fit_after_a_gap_come_after_it)
{
    constexpr std::size_t large = 10000;
    LiveInbox inbox({100, large}, Overflow::skip);
    push(inbox, 1);
    inbox.push({make_commit(2, {put_of("k")}, large), {}});
    push(inbox, 3);
    inbox.push({make_commit(4, {put_of("k")}, large), {}});
    inbox.push({make_commit(5, {put_of("k")}, large), {}});
    push(inbox, 6);
    BOOST_TEST(lines(inbox.take()) == (Strings{"1", "2-2x1", "3", "4-5x2", "6"}));
}

BOOST_AUTO_TEST_CASE(a_gap_alone_prevents_sleep)
{
    LiveInbox inbox(of_two, Overflow::skip);
    push(inbox, 1);
    push(inbox, 2);
    push(inbox, 3);
    BOOST_TEST(!inbox.sleep(true));
    BOOST_TEST(!inbox.empty());
    inbox.take();
    BOOST_TEST(inbox.sleep(true));
    BOOST_TEST(push(inbox, 4) == Inbox::Push::queued_wake);
}

// W11, trap 6: the end of a bucket is delivered, whatever is skipped around it.
BOOST_AUTO_TEST_CASE(the_end_of_a_bucket_is_never_skipped)
{
    LiveInbox inbox(of_two, Overflow::skip);
    push(inbox, 1);
    push(inbox, 2);
    inbox.push({make_commit(3, {put_of("k"), deletion_of("b"), deletion_of("c"), deletion_of("d")}),
                {0, 1, 3},
                {},
                true});
    push(inbox, 4);
    inbox.push({make_commit(5, {deletion_of("e")}), {}, {}, true});
    const Inbox::Taken taken = inbox.take();
    // Includes its whole commit, as the stream can be resumed there.
    BOOST_TEST(lines(taken) == (Strings{"1", "2", "3", "4-4x1", "5"}));
    BOOST_TEST(taken.entries[2].loses);
    BOOST_TEST(taken.entries[2].selected == (std::vector<std::uint32_t>{0, 1, 3}));
    BOOST_TEST(taken.entries[4].loses);
    BOOST_TEST(!taken.entries[3].loses);
}

// W10: what an inbox holds beyond its own limit counts against the limit of all inboxes.
BOOST_AUTO_TEST_CASE(the_end_of_a_bucket_is_held_only_if_there_is_memory)
{
    const auto shared = std::make_shared<SharedBytes>(2 * bytes_of(1) + 1);
    LiveInbox inbox(of_two, Overflow::skip, shared);
    push(inbox, 1);
    push(inbox, 2);
    push(inbox, 3);
    BOOST_TEST(inbox.push({make_commit(4, {deletion_of("b")}), {}, {}, true}) == Inbox::Push::full);
    BOOST_TEST(shared->used() == 0U);
    const Signals signals = inbox.take().signals;
    BOOST_TEST(signals.fell_behind);  // it finds the end in history
    BOOST_TEST(!signals.overflowed);
}

BOOST_AUTO_TEST_CASE(skipped_messages_are_counted_before_the_gap_is_taken)
{
    LiveInbox inbox(of_two, Overflow::skip);
    for (Revision revision = 1; revision <= 5; ++revision) {
        push(inbox, revision);
    }
    for (int i = 0; i < 2; ++i) {
        BOOST_TEST(inbox.level().gaps == 1U);
        BOOST_TEST(inbox.level().skipped == 3U);
        inbox.take();
    }
    push(inbox, 6);
    push(inbox, 7);
    push(inbox, 8);
    BOOST_TEST(inbox.level().gaps == 2U);
    inbox.drop();  // the gap was not delivered
    BOOST_TEST(inbox.level().gaps == 1U);
    BOOST_TEST(inbox.level().skipped == 3U);
    inbox.skipped(7);
    BOOST_TEST(inbox.level().gaps == 2U);
    BOOST_TEST(inbox.level().skipped == 10U);
}

// W3: a subscriber that has joined and still reads older history is not slower than the commits.
BOOST_AUTO_TEST_CASE(before_it_has_caught_up_nothing_is_skipped_and_no_overflow_reported)
{
    for (const Overflow policy : {Overflow::skip, Overflow::stop}) {
        Inbox inbox(of_two, policy);
        const auto fill = [&] {
            push(inbox, 1);
            push(inbox, 2);
            return push(inbox, 3);
        };
        BOOST_TEST(fill() == Inbox::Push::full);
        BOOST_TEST(inbox.level().fell_behind);
        Inbox::Taken taken = inbox.take();
        BOOST_TEST(taken.entries.empty());
        BOOST_TEST(taken.signals.fell_behind);
        BOOST_TEST(taken.signals.full);
        BOOST_TEST(!taken.signals.overflowed);
        BOOST_TEST(fill() == Inbox::Push::full);  // it must join again first
        BOOST_TEST(!inbox.take().signals.overflowed);
        inbox.drop();
        BOOST_TEST(fill() == Inbox::Push::full);
        BOOST_TEST(inbox.level().falls == 3U);
    }
}

// Overflows while a subscriber reads history, for any reason, are not its fault.
BOOST_AUTO_TEST_CASE(a_subscriber_that_fell_behind_is_spared_until_it_has_caught_up_again)
{
    for (const Overflow policy : {Overflow::skip, Overflow::stop}) {
        LiveInbox inbox(of_two, policy);
        const auto fill = [&inbox] {
            for (Revision revision = 1; revision <= 3; ++revision) {
                push(inbox, revision);
            }
            return inbox.take();
        };
        for (const bool drops : {false, true}) {
            inbox.cut_off(0);
            drops ? inbox.drop() : static_cast<void>(inbox.take());
            const Inbox::Taken spared = fill();
            BOOST_TEST(spared.signals.fell_behind);
            BOOST_TEST(!spared.signals.overflowed);
            inbox.take();
            const Inbox::Taken blamed = fill();
            BOOST_TEST(blamed.signals.overflowed == (policy == Overflow::stop));
            BOOST_TEST(blamed.entries.size() == (policy == Overflow::stop ? 0U : 3U));
            inbox.take();
        }
    }
}

BOOST_AUTO_TEST_CASE(messages_that_are_read_again_are_not_counted_as_coalesced)
{
    LiveInbox inbox({4, 1000 * 1000}, Overflow::latest);
    for (Revision revision = 1; revision <= 5; ++revision) {
        push(inbox, revision, "hot");
    }
    for (Revision revision = 6; revision <= 9; ++revision) {
        push(inbox, revision, "k" + std::to_string(revision));
    }
    const Inbox::Taken taken = inbox.take();
    BOOST_TEST(taken.signals.fell_behind);
    BOOST_TEST(taken.coalesced == 0U);
}

BOOST_AUTO_TEST_CASE(a_subscriber_that_is_cut_off_has_everything_routed_before)
{
    LiveInbox inbox(of_two);
    inbox.cut_off(7);
    BOOST_TEST(inbox.take().nothing_up_to == 7U);
    push(inbox, 5);  // the commit after 4
    inbox.cut_off(7);
    BOOST_TEST(inbox.take().nothing_up_to == 4U);
}

BOOST_AUTO_TEST_CASE(latest_makes_room_before_it_falls_behind)
{
    LiveInbox inbox({4, 1000 * 1000}, Overflow::latest);
    for (Revision revision = 1; revision <= 20; ++revision) {
        BOOST_TEST(push(inbox, revision, revision == 2 ? "other" : "hot") == Inbox::Push::queued);
    }
    const Inbox::Taken taken = inbox.take();
    BOOST_TEST(!taken.signals.fell_behind);
    BOOST_TEST(taken.entries.size() <= 4U);
    BOOST_TEST(taken.entries.front().commit->revision == 2U);
    BOOST_TEST(taken.entries.front().hold == 0U);
    BOOST_TEST(taken.entries.back().commit->revision == 20U);
}

BOOST_AUTO_TEST_CASE(latest_falls_behind_if_coalescing_frees_too_little)
{
    LiveInbox inbox({4, 1000 * 1000}, Overflow::latest);
    for (Revision revision = 1; revision <= 4; ++revision) {
        push(inbox, revision, "k" + std::to_string(revision % 3));
    }
    BOOST_TEST(push(inbox, 5, "k0") == Inbox::Push::full);  // three of four are left
    const Inbox::Taken taken = inbox.take();
    BOOST_TEST(taken.entries.empty());
    BOOST_TEST(taken.signals.fell_behind);
}

BOOST_AUTO_TEST_CASE(a_full_inbox_is_distinguished_from_a_gap_in_routing)
{
    for (const Overflow policy : {Overflow::catch_up, Overflow::stop}) {
        LiveInbox inbox(of_two, policy);
        push(inbox, 1);
        push(inbox, 2);
        BOOST_TEST(push(inbox, 3) == Inbox::Push::full);
        BOOST_TEST(inbox.level().full);
        BOOST_TEST(inbox.level().overflowed);
        Inbox::Taken taken = inbox.take();
        BOOST_TEST(taken.entries.empty());
        BOOST_TEST(taken.signals.fell_behind);
        BOOST_TEST(taken.signals.full);
        BOOST_TEST(taken.signals.overflowed);
        inbox.cut_off(0);
        taken = inbox.take();
        BOOST_TEST(!taken.signals.full);
        BOOST_TEST(!taken.signals.overflowed);
    }
}

BOOST_AUTO_TEST_CASE(a_parked_worker_is_woken_by_signals_only)
{
    LiveInbox inbox(of_two);
    push(inbox, 1);
    BOOST_TEST(inbox.rest());
    BOOST_TEST(push(inbox, 2) == Inbox::Push::queued);
    BOOST_TEST(!inbox.up_to_date(9));
    BOOST_TEST(inbox.signal([](Signals&) {}));
    BOOST_TEST(!inbox.signal([](Signals&) {}));
    BOOST_TEST(!inbox.rest());  // there are unread signals
    inbox.signals();
    BOOST_TEST(inbox.rest());
    BOOST_TEST(inbox.signal([](Signals& signals) { signals.stop = true; }));
    inbox.signals();
    inbox.take();
    BOOST_TEST(inbox.sleep(true));
    BOOST_TEST(push(inbox, 3) == Inbox::Push::queued_wake);
}

// W10
BOOST_AUTO_TEST_CASE(the_bytes_of_all_inboxes_are_limited_and_released_exactly)
{
    const auto shared = std::make_shared<SharedBytes>(3 * bytes_of(1));
    Inbox one({100, 1000 * 1000}, Overflow::catch_up, shared);
    {
        Inbox two({100, 1000 * 1000}, Overflow::catch_up, shared);
        push(one, 1);
        push(one, 2);
        push(two, 1);
        BOOST_TEST(shared->used() == 3 * bytes_of(1));
        BOOST_TEST(push(two, 2) == Inbox::Push::full);
        BOOST_TEST(shared->used() == 2 * bytes_of(1));
        push(two, 3);
        BOOST_TEST(push(one, 3) == Inbox::Push::full);
        BOOST_TEST(shared->used() == bytes_of(1));
    }
    BOOST_TEST(shared->used() == 0U);
    push(one, 4);
    one.take();
    BOOST_TEST(shared->used() == 0U);
}

// W9: if other inboxes use up the limit, that is not the subscriber's fault, whatever its policy.
BOOST_AUTO_TEST_CASE(not_even_a_single_commit_exceeds_the_limit_of_all_inboxes)
{
    const auto shared = std::make_shared<SharedBytes>(bytes_of(1) - 1);
    for (const Overflow policy :
         {Overflow::catch_up, Overflow::skip, Overflow::stop, Overflow::latest}) {
        LiveInbox inbox(of_two, policy, shared);
        BOOST_TEST(push(inbox, 1) == Inbox::Push::full);
        const Signals signals = inbox.take().signals;
        BOOST_TEST(signals.fell_behind);
        BOOST_TEST(!signals.full);
        BOOST_TEST(!signals.overflowed);
    }
    BOOST_TEST(shared->used() == 0U);
}

BOOST_AUTO_TEST_CASE(making_room_releases_the_bytes_of_replaced_messages)
{
    const auto shared = std::make_shared<SharedBytes>(std::size_t{1} << 30);
    LiveInbox inbox({8, 1000 * 1000}, Overflow::latest, shared);
    for (Revision revision = 1; revision <= 9; ++revision) {
        push(inbox, revision);
    }
    BOOST_TEST(shared->used() == inbox.level().bytes);
    BOOST_TEST(shared->used() < 2 * bytes_of(9));
    inbox.take();
    BOOST_TEST(shared->used() == 0U);
}

BOOST_AUTO_TEST_CASE(several_threads_release_what_they_reserved)
{
    const auto shared = std::make_shared<SharedBytes>(5 * bytes_of(1));
    std::atomic<bool> over{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([shared, &over] {
            LiveInbox inbox({4, 1000 * 1000}, Overflow::skip, shared);
            for (Revision revision = 1; revision <= 20000; ++revision) {
                push(inbox, revision);
                if (revision % 3 == 0) {
                    inbox.take();
                }
                if (shared->used() > 8 * bytes_of(1)) {  // three threads may be trying at once
                    over = true;
                }
            }
        });
    }
    for (std::thread& each : threads) {
        each.join();
    }
    BOOST_TEST(!over);
    BOOST_TEST(shared->used() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
