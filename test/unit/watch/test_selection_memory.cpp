// SPDX-License-Identifier: BSL-1.0
#include "support/memory/counted_memory.hpp"
#include "support/printing.hpp"
#include "support/watch/commits.hpp"
#include "watch/distributor.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace keywatch::watch;

namespace {

constexpr std::size_t subscribers = 200;
constexpr std::size_t messages = 20'000;
/// The size of one list: four bytes for each message.
constexpr std::size_t one_list = messages * 4;

/// Returns a large commit. If `mixed`, every second message is for bucket c.
SharedRecord large_commit(Revision revision, bool mixed)
{
    std::vector<DraftMessage> changes;
    for (std::size_t i = 0; i < messages; ++i) {
        changes.push_back(put_of("k", mixed && i % 2 == 0 ? "c" : "b"));
    }
    return make_commit(revision, changes);
}

struct Routing {
    explicit Routing(std::size_t limit) : bytes(std::make_shared<SharedBytes>(limit))
    {
        for (std::size_t i = 0; i < subscribers; ++i) {
            all.push_back(std::make_shared<Subscription>(in("b", keywatch::all()), Filter(),
                                                         Budget{1'000'000, 100'000'000},
                                                         Overflow::catch_up, bytes));
            distributor.index().add(all.back());
        }
    }

    void route(const SharedRecord& commit) { distributor.route(commit).wake.clear(); }
    std::size_t take_all()
    {
        std::size_t taken = 0;
        for (const SharedSubscription& each : all) {
            for (const Entry& entry : each->inbox.take().entries) {
                taken += entry.messages();
            }
        }
        return taken;
    }

    std::shared_ptr<SharedBytes> bytes;
    Distributor distributor;
    std::vector<SharedSubscription> all;
};

}  // namespace

// The memory for the lists of selected messages (W10), with many subscribers and one large commit.
BOOST_AUTO_TEST_SUITE(test_selection_memory)

BOOST_AUTO_TEST_CASE(a_subscriber_of_everything_needs_no_list)
{
    Routing routing(std::size_t{1} << 40);
    routing.route(make_commit(1, {put_of("k")}));
    routing.take_all();
    const SharedRecord commit = large_commit(2, false);
    const Peak peak;
    routing.route(commit);
    BOOST_TEST(peak.grown() < one_list);
    BOOST_TEST(routing.take_all() == subscribers * messages);
    BOOST_TEST(peak.left() < one_list);
}

BOOST_AUTO_TEST_CASE(lists_are_released_after_use)
{
    Routing routing(std::size_t{1} << 40);
    routing.route(make_commit(1, {put_of("k")}));
    routing.take_all();
    const SharedRecord commit = large_commit(2, true);
    const Peak peak;
    routing.route(commit);
    BOOST_TEST(routing.take_all() == subscribers * messages / 2);
    BOOST_TEST(peak.left() < one_list);
    BOOST_TEST(routing.bytes->used() == 0U);
}

BOOST_AUTO_TEST_CASE(lists_of_a_commit_being_routed_stay_within_the_limit_of_all_inboxes)
{
    constexpr std::size_t limit = 10 * one_list;
    Routing routing(limit);
    const SharedRecord commit = large_commit(1, true);
    const Peak peak;
    routing.route(commit);
    BOOST_TEST(peak.grown() < 2 * limit);
    BOOST_TEST(routing.bytes->used() <= limit);
    std::size_t fell_behind = 0;
    for (const SharedSubscription& each : routing.all) {
        fell_behind += each->inbox.take().signals.fell_behind ? 1 : 0;
    }
    BOOST_TEST(fell_behind > subscribers / 2);
    BOOST_TEST(routing.distributor.fell_behind() == fell_behind);
    BOOST_TEST(routing.bytes->used() == 0U);
}

BOOST_AUTO_TEST_CASE(a_commit_that_many_inboxes_hold_counts_once)
{
    const SharedRecord commit = large_commit(1, false);
    const SharedRecord next = large_commit(2, false);
    Routing routing(commit->pinned_bytes() * 5 / 2);
    routing.route(commit);
    routing.route(next);
    BOOST_TEST(routing.bytes->used() == 2 * commit->pinned_bytes());
    BOOST_TEST(routing.all[0]->inbox.level().bytes == 2 * commit->pinned_bytes());
    // A third commit has no room before the last inbox has released the others.
    for (std::size_t i = 1; i < subscribers; ++i) {
        BOOST_TEST(routing.all[i]->inbox.take().entries.size() == 2U);
    }
    BOOST_TEST(routing.bytes->used() == 2 * commit->pinned_bytes());
    routing.all[0]->inbox.drop();
    BOOST_TEST(routing.bytes->used() == 0U);
    routing.route(large_commit(3, false));
    BOOST_TEST(routing.bytes->used() == commit->pinned_bytes());
    BOOST_TEST(routing.distributor.fell_behind() == 0U);
    BOOST_TEST(routing.take_all() == subscribers * messages);
    BOOST_TEST(routing.bytes->used() == 0U);
}

// Otherwise the work of each selection would grow with the ends of other buckets.
BOOST_AUTO_TEST_CASE(a_selection_does_not_store_the_ends_of_other_buckets)
{
    std::vector<DraftMessage> changes;
    for (std::size_t i = 0; i < messages; ++i) {
        changes.push_back(deletion_of("x" + std::to_string(i)));
    }
    changes.push_back(put_of("k"));
    const SharedRecord commit = make_commit(1, changes);
    const Subscription one(in("b", all()), Filter(), Budget{100, 100});
    const Peak peak;
    BOOST_TEST(select(one, *commit).selected.size() == 1U);
    BOOST_TEST(peak.grown() < 1000U);
}

BOOST_AUTO_TEST_CASE(a_list_counts_against_the_limits_of_its_inbox)
{
    const SharedRecord commit = large_commit(1, true);
    const auto one = std::make_shared<Subscription>(
        in("b", all()), Filter(), Budget{1'000'000, 2 * commit->pinned_bytes() + one_list / 4});
    Distributor distributor;
    distributor.index().add(one);
    distributor.route(commit);
    BOOST_TEST(one->inbox.level().bytes >= commit->pinned_bytes() + one_list / 2);
    // If only the commits were counted, two would fit.
    distributor.route(large_commit(2, true));
    BOOST_TEST(one->inbox.take().signals.fell_behind);
}

BOOST_AUTO_TEST_SUITE_END()
