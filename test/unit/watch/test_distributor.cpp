// SPDX-License-Identifier: BSL-1.0
#include "watch/distributor.hpp"

#include "support/printing.hpp"
#include "support/watch/commits.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace keywatch::watch;

namespace {

using Places = std::vector<std::uint32_t>;
using Revisions = std::vector<Revision>;

/// A distributor, and helpers for its subscribers.
struct Routing {
    Distributor distributor;

    SharedSubscription subscribe(const Selectors& selectors, const Filter& filter = Filter(),
                                 std::size_t room = 100)
    {
        auto one = std::make_shared<Subscription>(selectors, filter, Budget{room, 1000 * 1000});
        distributor.index().add(one);
        return one;
    }
    SharedSubscription subscribe(std::string bucket, Selector selector, std::size_t room = 100)
    {
        return subscribe(in(std::move(bucket), std::move(selector)), Filter(), room);
    }

    Distributor::Routed& route(Revision revision, const std::vector<DraftMessage>& changes)
    {
        return distributor.route(make_commit(revision, changes));
    }

    bool is_indexed(const SharedSubscription& one)
    {
        if (!distributor.index().remove(*one)) {
            return false;
        }
        distributor.index().add(one);
        return true;
    }
};

Revisions taken_by(const SharedSubscription& one)
{
    Revisions revisions;
    for (const Entry& each : one->inbox.take().entries) {
        revisions.push_back(each.commit->revision);
    }
    return revisions;
}

std::size_t count(const std::vector<SharedSubscription>& list, const SharedSubscription& one)
{
    return static_cast<std::size_t>(std::ranges::count(list, one));
}

}  // namespace

// `Distributor`: which subscriber receives which messages of a commit.
BOOST_FIXTURE_TEST_SUITE(test_distributor, Routing)

BOOST_AUTO_TEST_CASE(a_commit_is_routed_only_to_matching_subscribers)
{
    const auto k = subscribe("b", key("k"));
    const auto l = subscribe("b", key("l"));
    const auto whole = subscribe("b", all());
    const auto elsewhere = subscribe("c", all());
    route(1, {put_of("k")});
    route(2, {put_of("x")});
    BOOST_TEST(taken_by(k) == Revisions{1});
    BOOST_CHECK(taken_by(l).empty());
    BOOST_TEST(taken_by(whole) == (Revisions{1, 2}));
    BOOST_CHECK(taken_by(elsewhere).empty());
}

// W4
BOOST_AUTO_TEST_CASE(a_commit_is_one_entry_with_the_places_of_its_messages)
{
    const auto k = subscribe("b", key("k"));
    const auto whole = subscribe("b", all());
    const auto elsewhere = subscribe("c", all());
    // A message of the same bucket after one of another bucket.
    route(1, {put_of("k"), put_of("l"), put_of("x", "c"), put_of("k")});
    const auto entries = k->inbox.take().entries;
    BOOST_TEST_REQUIRE(entries.size() == 1U);
    BOOST_TEST(entries[0].selected == (Places{0, 3}));
    const auto whole_entries = whole->inbox.take().entries;
    BOOST_TEST_REQUIRE(whole_entries.size() == 1U);
    BOOST_TEST(whole_entries[0].selected == (Places{0, 1, 3}));
    BOOST_TEST(elsewhere->inbox.take().entries.at(0).selected == Places{2});
}

BOOST_AUTO_TEST_CASE(an_empty_list_means_all_messages)
{
    const auto whole = subscribe("b", all());
    const auto k = subscribe("b", key("k"));
    route(1, {put_of("k"), put_of("k")});
    route(2, {put_of("l"), put_of("k")});
    BOOST_TEST(whole->inbox.take().entries.at(0).selected.empty());
    const auto entries = k->inbox.take().entries;
    BOOST_TEST(entries.at(0).selected.empty());
    BOOST_TEST(entries.at(1).selected == Places{1});
}

BOOST_AUTO_TEST_CASE(only_sleepers_are_to_be_woken)
{
    const auto awake = subscribe("b", all());
    const auto asleep = subscribe("b", all());
    asleep->inbox.sleep(true);
    const Distributor::Routed& routed = route(1, {put_of("k")});
    BOOST_TEST(count(routed.wake, asleep) == 1U);
    BOOST_TEST(count(routed.wake, awake) == 0U);
    BOOST_TEST(route(2, {put_of("k")}).wake.empty());
}

BOOST_AUTO_TEST_CASE(a_full_subscriber_leaves_the_index_and_the_others_stay)
{
    const auto narrow = subscribe("b", all(), 1);
    const auto wide = subscribe("b", all());
    route(1, {put_of("k")});
    route(2, {put_of("k")});
    BOOST_TEST(!is_indexed(narrow));
    BOOST_TEST(is_indexed(wide));
    route(3, {put_of("k")});
    const Inbox::Taken taken = narrow->inbox.take();
    BOOST_TEST(taken.signals.fell_behind);
    BOOST_TEST(taken.entries.empty());  // commit 3 is missing as well
    BOOST_TEST(taken_by(wide) == (Revisions{1, 2, 3}));
}

BOOST_AUTO_TEST_CASE(a_deleted_bucket_removes_its_subscribers_from_the_index)
{
    const auto k = subscribe("b", key("k"));
    const auto whole = subscribe("b", all());
    const auto elsewhere = subscribe("c", all());
    const Distributor::Routed& routed = route(5, {put_of("x"), deletion_of("b")});
    BOOST_TEST_REQUIRE(routed.victims.size() == 1U);
    BOOST_TEST(routed.victims[0].revision == 5U);
    BOOST_TEST(routed.victims[0].subscribers.size() == 2U);
    BOOST_TEST(count(routed.victims[0].subscribers, k) == 1U);
    BOOST_TEST(count(routed.victims[0].subscribers, whole) == 1U);
    BOOST_TEST(is_indexed(elsewhere));
    // They still receive the deletion itself, and nothing after it.
    route(6, {creation_of("b"), put_of("k")});
    for (const auto& each : {k, whole}) {
        BOOST_TEST(!is_indexed(each));
        BOOST_TEST(each->inbox.signals().detached_at == 5U);
        BOOST_TEST(taken_by(each) == Revisions{5});
    }
    BOOST_TEST(elsewhere->inbox.signals().detached_at > 6U);
}

BOOST_AUTO_TEST_CASE(a_bucket_recreated_in_the_same_commit_is_a_different_one)
{
    const auto whole = subscribe("b", all());
    const Distributor::Routed& routed = route(1, {put_of("k"), deletion_of("b"), creation_of("b"),
                                                  put_of("x", "c"), put_of("k"), deletion_of("b")});
    BOOST_TEST(routed.victims.size() == 1U);  // the second bucket has no subscribers yet
    BOOST_TEST(whole->inbox.take().entries.at(0).selected == (Places{0, 1}));
}

BOOST_AUTO_TEST_CASE(the_deletion_of_one_of_several_structures_ends_no_subscriber)
{
    const auto k = subscribe("b", key("k"));
    BOOST_TEST(route(1, {deletion_of("b", false)}).victims.empty());
    route(2, {put_of("k")});
    BOOST_TEST(taken_by(k) == (Revisions{1, 2}));
}

BOOST_AUTO_TEST_CASE(two_buckets_deleted_by_one_commit_are_two_sets)
{
    const auto b = subscribe("b", all());
    const auto c = subscribe("c", all());
    const Distributor::Routed& routed = route(1, {deletion_of("b"), deletion_of("c")});
    BOOST_TEST_REQUIRE(routed.victims.size() == 2U);
    BOOST_TEST(count(routed.victims[0].subscribers, b) == 1U);
    BOOST_TEST(count(routed.victims[1].subscribers, c) == 1U);
}

// W11: the inbox overflows in the commit that ends the bucket.
BOOST_AUTO_TEST_CASE(a_victim_that_is_full_both_ends_and_falls_behind)
{
    const auto narrow = subscribe("b", all(), 1);
    route(1, {put_of("k")});
    const Distributor::Routed& routed = route(2, {deletion_of("b")});
    BOOST_TEST(routed.victims.at(0).subscribers.size() == 1U);
    const Signals signals = narrow->inbox.take().signals;
    BOOST_TEST(signals.fell_behind);
    BOOST_TEST(signals.detached_at == 2U);
}

BOOST_AUTO_TEST_CASE(no_result_of_one_commit_remains_for_the_next)
{
    const auto asleep = subscribe("b", all());
    asleep->inbox.sleep(true);
    route(1, {deletion_of("b")});
    const Distributor::Routed& routed = route(2, {put_of("k")});
    BOOST_TEST(routed.wake.empty());
    BOOST_TEST(routed.victims.empty());
}

// W6: if the pipeline itself has lost history, then every subscriber checks what it missed.
BOOST_AUTO_TEST_CASE(after_a_gap_all_subscribers_have_fallen_behind)
{
    const auto b = subscribe("b", key("k"));
    const auto c = subscribe("c", all());
    c->inbox.sleep(true);
    const Distributor::Routed& routed = distributor.route_gap(0);
    BOOST_TEST(routed.wake.size() == 1U);
    BOOST_TEST(count(routed.wake, c) == 1U);
    for (const auto& each : {b, c}) {
        BOOST_TEST(!is_indexed(each));
        BOOST_TEST(each->inbox.take().signals.fell_behind);
    }
    route(9, {put_of("k"), put_of("k", "c")});
    BOOST_CHECK(taken_by(b).empty());
    BOOST_CHECK(taken_by(c).empty());
}

// W1
BOOST_AUTO_TEST_CASE(a_message_that_several_selectors_match_is_selected_once)
{
    const auto one = subscribe({in("b", key("k")), in("b", prefix("k")), in("b", all()),
                                in("b", range("a", "z")), in("b", glob("?")), whole_database(),
                                in("b", key("k"))});
    const auto other = subscribe({in("b", prefix("")), in("b", prefix("l"))});
    route(1, {put_of("k"), put_of("l"), put_of("k"), put_of("k", "c"), deletion_of("b", false)});
    const auto entries = one->inbox.take().entries;
    BOOST_TEST_REQUIRE(entries.size() == 1U);
    BOOST_TEST(entries[0].selected.empty());  // all of them
    BOOST_TEST(entries[0].messages() == 5U);
    BOOST_TEST(other->inbox.take().entries.at(0).selected == (Places{0, 1, 2, 4}));
}

BOOST_AUTO_TEST_CASE(messages_of_several_buckets_are_one_entry)
{
    const auto one = subscribe({in("b", key("k")), in("c", prefix("x"))});
    route(1, {put_of("x1", "c"), put_of("k"), put_of("x", "b"), put_of("y", "c"), put_of("x2", "c"),
              put_of("k", "d")});
    const auto entries = one->inbox.take().entries;
    BOOST_TEST_REQUIRE(entries.size() == 1U);
    BOOST_TEST(entries[0].selected == (Places{0, 1, 4}));
}

BOOST_AUTO_TEST_CASE(a_subscriber_of_two_buckets_survives_the_end_of_one)
{
    const auto both = subscribe({in("b", all()), in("c", all())});
    const Distributor::Routed& routed =
        route(5, {put_of("k"), deletion_of("b"), creation_of("b"), put_of("k"), put_of("k", "c")});
    BOOST_TEST(routed.victims.empty());
    Inbox::Taken taken = both->inbox.take();
    BOOST_TEST(taken.signals.detached_at > 5U);
    BOOST_TEST(taken.entries.at(0).selected == (Places{0, 1, 4}));
    BOOST_TEST(taken.entries.at(0).loses);
    BOOST_TEST(both->lose_buckets(*taken.entries.at(0).commit, {0, 1, 4}));
    BOOST_TEST(is_indexed(both));
    route(6, {put_of("k")});
    route(7, {put_of("k", "c")});
    taken = both->inbox.take();
    BOOST_TEST_REQUIRE(taken.entries.size() == 1U);
    BOOST_TEST(taken.entries[0].commit->revision == 7U);
    BOOST_TEST(!taken.entries[0].loses);
    const Distributor::Routed& last = route(8, {deletion_of("c")});
    BOOST_TEST_REQUIRE(last.victims.size() == 1U);
    BOOST_TEST(count(last.victims[0].subscribers, both) == 1U);
    BOOST_TEST(both->inbox.signals().detached_at == 8U);
    BOOST_TEST(!both->lose_buckets(*both->inbox.take().entries.at(0).commit, {}));
}

BOOST_AUTO_TEST_CASE(a_subscriber_that_loses_both_buckets_in_one_commit_is_a_victim_once)
{
    const auto both = subscribe({in("b", all()), in("c", key("k"))});
    const Distributor::Routed& routed = route(1, {deletion_of("b"), deletion_of("c")});
    BOOST_TEST_REQUIRE(routed.victims.size() == 1U);
    BOOST_TEST(routed.victims[0].subscribers.size() == 1U);
    BOOST_TEST(!is_indexed(both));
    BOOST_TEST(both->inbox.take().entries.at(0).messages() == 2U);
}

BOOST_AUTO_TEST_CASE(the_whole_database_has_no_end)
{
    const auto everything = subscribe(whole_database());
    const Distributor::Routed& routed =
        route(1, {creation_of("b"), put_of("k"), deletion_of("b"), creation_of("b"), put_of("l")});
    BOOST_TEST(routed.victims.empty());
    BOOST_TEST(everything->inbox.take().entries.at(0).messages() == 5U);
    BOOST_TEST(is_indexed(everything));
}

// Trap 16: a commit of which nothing passes the filter is not kept in memory.
BOOST_AUTO_TEST_CASE(filtered_messages_do_not_enter_the_inbox)
{
    Filter puts;
    puts.operations = {Operation::put};
    const auto one = subscribe({in("b", all()), in("b", key("k"))}, puts, 1);
    for (Revision revision = 1; revision < 10; ++revision) {
        route(revision, {creation_of("b"), deletion_of("b", false)});
    }
    BOOST_TEST(distributor.entries() == 0U);
    BOOST_TEST(is_indexed(one));
    route(10, {creation_of("b"), put_of("k"), deletion_of("b")});
    const auto entries = one->inbox.take().entries;
    BOOST_TEST_REQUIRE(entries.size() == 1U);
    BOOST_TEST(entries[0].selected == (Places{1, 2}));
}

BOOST_AUTO_TEST_CASE(a_commit_for_many_is_routed_in_slices)
{
    std::vector<SharedSubscription> many;
    for (int i = 0; i < 2000; ++i) {
        many.push_back(subscribe("b", i % 2 == 0 ? key("k") : glob("*k")));
        many.back()->inbox.sleep(true);
    }
    distributor.begin(make_commit(1, {put_of("k"), put_of("l"), put_of("k")}));
    std::size_t slices = 1;
    std::size_t woken = 0;
    for (; !distributor.advance(100); ++slices) {
        woken += std::exchange(distributor.routed().wake, {}).size();
    }
    BOOST_TEST(woken > 1800U);
    // Each subscriber is matched twice, those with patterns are also tested for `l`, and each is
    // pushed to once.
    BOOST_TEST(slices >= (2 * 2000 + 1000 + 2000) / 100U);
    for (const SharedSubscription& each : many) {
        BOOST_TEST(each->inbox.take().entries.at(0).selected == (Places{0, 2}));
    }
}

BOOST_AUTO_TEST_CASE(a_gap_for_many_subscribers_is_processed_in_slices)
{
    std::vector<SharedSubscription> many;
    for (int i = 0; i < 300; ++i) {
        many.push_back(subscribe({in("b", key("k")), in("c" + std::to_string(i), all())}));
    }
    many.push_back(subscribe(whole_database()));
    distributor.begin_gap(0);
    std::size_t slices = 1;
    while (!distributor.advance(10)) {
        ++slices;
    }
    BOOST_TEST(slices >= 60U);
    BOOST_TEST(distributor.index().empty());
    for (const SharedSubscription& each : many) {
        BOOST_TEST(each->inbox.level().falls == 1U);
    }
}

/// Returns the number of steps for ending this many buckets, of ten subscribers each, with one
/// commit.
std::uint64_t steps_of_ending(std::size_t buckets)
{
    Routing routing;
    std::vector<DraftMessage> changes;
    std::vector<SharedSubscription> all_of_them;
    for (std::size_t i = 0; i < buckets; ++i) {
        const std::string bucket = "b" + std::to_string(i);
        changes.push_back(deletion_of(bucket));
        for (int each = 0; each < 10; ++each) {
            all_of_them.push_back(routing.subscribe(bucket, each % 2 == 0 ? key("k") : all()));
        }
    }
    BOOST_TEST(routing.route(1, changes).victims.size() == buckets);
    for (const SharedSubscription& each : all_of_them) {
        BOOST_TEST(each->inbox.take().entries.at(0).messages() == 1U);
    }
    return routing.distributor.steps();
}

BOOST_AUTO_TEST_CASE(ending_twice_as_many_buckets_takes_twice_as_many_steps)
{
    const std::uint64_t steps = steps_of_ending(50);
    BOOST_TEST(steps <= 50U * (1 + 2 * 10));
    BOOST_TEST(steps_of_ending(100) == 2 * steps);
}

BOOST_AUTO_TEST_SUITE_END()
