// SPDX-License-Identifier: BSL-1.0
#include "watch/distributor.hpp"

#include "support/printing.hpp"
#include "support/watch/commits.hpp"

#include <keywatch/error.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace keywatch::watch;

namespace {

using Places = std::vector<std::uint32_t>;

SharedSubscription subscribe(const Selectors& selectors, const Filter& filter = Filter())
{
    return std::make_shared<Subscription>(selectors, filter, Budget{1000, 1000 * 1000});
}

SharedSubscription subscribe(std::string bucket, Selector selector)
{
    return subscribe(in(std::move(bucket), std::move(selector)));
}

boost::system::error_code refusal(const Selectors& selectors)
{
    try {
        subscribe(selectors);
    } catch (const boost::system::system_error& error) {
        return error.code();
    }
    return {};
}

/// Returns more selectors by key than are tried one after another, one of them twice, and `others`.
Selectors many_keys(std::vector<BucketSelector> others = {})
{
    for (const char* const bucket : {"b", "c"}) {
        for (const char* const name : {"k", "l", "no1", "no2", "no3", "k"}) {
            others.push_back(in(bucket, key(name)));
        }
    }
    return Selectors(std::move(others));
}

/// Returns subscriptions with selectors of all kinds, alone and in lists, with and without filters.
std::vector<SharedSubscription> one_of_each()
{
    Filter puts;
    puts.operations = {Operation::put};
    Filter no_deletions;
    no_deletions.operations = {Operation::bucket_created};
    return {subscribe("b", key("k")),
            subscribe("b", all()),
            subscribe("c", all()),
            subscribe("d", all()),
            subscribe("b", prefix("k")),
            subscribe("b", prefix("")),
            subscribe("c", range("k1", "l")),
            subscribe("c", range("l", "")),
            subscribe("b", glob("k?")),
            subscribe(whole_database()),
            subscribe({in("b", key("k")), in("b", prefix("k")), in("b", range("", "l"))}),
            subscribe({in("b", all()), in("c", key("l"))}),
            subscribe({in("b", glob("*1")), in("c", prefix("k")), in("d", all())}),
            subscribe({in("b", all()), whole_database()}),
            subscribe(many_keys()),
            subscribe(many_keys({in("c", prefix("l")), in("d", all())})),
            subscribe(many_keys(), puts),
            subscribe(in("b", all()), puts),
            subscribe({in("b", all()), in("c", all())}, puts),
            subscribe({in("b", prefix("k")), in("c", all())}, no_deletions),
            subscribe(whole_database(), no_deletions)};
}

/// Returns what a live subscriber received, in the form of a selection from history.
Selection routed_to(const SharedSubscription& subscriber)
{
    const Inbox::Taken taken = subscriber->inbox.take();
    BOOST_TEST_REQUIRE(taken.entries.size() <= 1U);
    if (taken.entries.empty()) {
        return {};
    }
    return {taken.entries[0].selected, true, taken.entries[0].loses};
}

/// Returns a random transaction that the engine could make: `ends_bucket` is set correctly.
SharedRecord random_commit(std::mt19937& random, Revision revision)
{
    const std::vector<std::string> names{"b", "c"};
    const std::vector<std::string> keys{"k", "k1", "l", "m"};
    std::vector<DraftMessage> changes;
    for (std::size_t count = 1 + random() % 5; count > 0; --count) {
        const std::string& bucket = names[random() % names.size()];
        switch (random() % 8) {
        case 0:
            changes.push_back(creation_of(bucket));
            break;
        case 1:
            changes.push_back(deletion_of(bucket, random() % 2 == 0));
            break;
        default:
            changes.push_back(put_of(keys[random() % keys.size()], bucket));
        }
    }
    return make_commit(revision, changes);
}

}  // namespace

// `Subscription`: the messages that its selectors match.
BOOST_AUTO_TEST_SUITE(test_subscription)

BOOST_AUTO_TEST_CASE(a_key_receives_its_own_messages_and_the_end_of_its_bucket)
{
    const auto one = subscribe("b", key("k"));
    const auto commit = make_commit(
        1, {creation_of("b"), put_of("k"), put_of("l"), put_of("k", "c"), deletion_of("b", false)});
    const Selection selection = select(*one, *commit);
    BOOST_TEST(selection.any);
    BOOST_TEST(!selection.loses);
    BOOST_TEST(selection.selected == (Places{1, 4}));
}

BOOST_AUTO_TEST_CASE(a_whole_bucket_receives_its_creation_too)
{
    const auto whole = subscribe("b", all());
    const auto commit = make_commit(1, {creation_of("b"), put_of("k"), put_of("k", "c")});
    BOOST_TEST(select(*whole, *commit).selected == (Places{0, 1}));
}

BOOST_AUTO_TEST_CASE(an_empty_list_stands_for_all_messages)
{
    const auto whole = subscribe("b", all());
    const Selection all_of_them = select(*whole, *make_commit(1, {put_of("k"), put_of("l")}));
    BOOST_TEST(all_of_them.any);
    BOOST_TEST(all_of_them.selected.empty());
    const Selection none = select(*whole, *make_commit(2, {put_of("k", "c")}));
    BOOST_TEST(!none.any);
    BOOST_TEST(none.selected.empty());
}

BOOST_AUTO_TEST_CASE(nothing_after_the_end_of_the_bucket_is_selected)
{
    const auto one = subscribe("b", key("k"));
    const auto commit =
        make_commit(1, {put_of("k"), deletion_of("b"), creation_of("b"), put_of("k")});
    const Selection selection = select(*one, *commit);
    BOOST_TEST(selection.loses);
    BOOST_TEST(selection.selected == (Places{0, 1}));
}

BOOST_AUTO_TEST_CASE(an_end_that_is_the_last_message_is_still_an_end)
{
    const auto one = subscribe("b", key("k"));
    const Selection selection = select(*one, *make_commit(1, {deletion_of("b")}));
    BOOST_TEST(selection.any);
    BOOST_TEST(selection.loses);
    BOOST_TEST(selection.selected.empty());
}

BOOST_AUTO_TEST_CASE(only_a_list_of_well_formed_selectors_is_accepted)
{
    const std::string longest(65535, 'b');
    BOOST_TEST(refusal(in("b", key(""))) == make_error_code(Error::empty_key));
    BOOST_TEST(refusal(in("", all())) == make_error_code(Error::invalid_name));
    BOOST_TEST(refusal(in(longest + 'b', all())) == make_error_code(Error::invalid_name));
    BOOST_TEST(refusal(in("b", range("b", "a"))) == make_error_code(Error::invalid_option));
    BOOST_TEST(refusal(in("b", range("a", "a"))) == make_error_code(Error::invalid_option));
    BOOST_TEST(refusal(in("b", glob("[a"))) == make_error_code(Error::invalid_pattern));
    BOOST_TEST(refusal(std::initializer_list<BucketSelector>{}) ==
               make_error_code(Error::invalid_option));
    BOOST_TEST(refusal({in("b", all()), in("b", key(""))}) == make_error_code(Error::empty_key));
    for (const Selector& good : {prefix(""), range("", ""), range("a", ""), range("", "a"),
                                 range(std::string(1, '\0'), "\xff"), glob(""), glob("*")}) {
        BOOST_TEST(!refusal(in(longest, good)));
    }
}

BOOST_AUTO_TEST_CASE(each_kind_matches_its_keys)
{
    const auto matches = [](Selector selector, std::string_view key) {
        return subscribe("b", std::move(selector))->interests()[0].matches_key(key);
    };
    const std::string high = "\xff";
    BOOST_TEST(matches(prefix(high), high + "a"));
    BOOST_TEST(!matches(prefix(high), "a"));
    BOOST_TEST(matches(range("a", "b"), "a"));
    BOOST_TEST(matches(range("a", "b"), "a" + high));
    BOOST_TEST(!matches(range("a", "b"), "b"));
    BOOST_TEST(matches(range("a", ""), high + high));
    BOOST_TEST(!matches(range("a", ""), std::string_view("\0", 1)));
    BOOST_TEST(matches(glob("a*z"), "a-z"));
    BOOST_TEST(!matches(glob("a*z"), "a-z!"));
}

BOOST_AUTO_TEST_CASE(only_the_buckets_that_ended_are_lost)
{
    const auto one =
        subscribe({in("b", key("k")), in("c", all()), in("b", prefix("x")), whole_database()});
    BOOST_TEST(one->lose_buckets(*make_commit(1, {deletion_of("b"), deletion_of("c", false)}), {}));
    std::vector<bool> lost;
    for (const Interest& each : one->interests()) {
        lost.push_back(each.lost);
    }
    BOOST_TEST(lost == (std::vector<bool>{true, false, true, false}));
    const auto two = subscribe({in("b", all()), in("c", all())});
    BOOST_TEST(two->lose_buckets(*make_commit(1, {deletion_of("b")}), {}));
    const Selection selection =
        select(*two, *make_commit(2, {creation_of("b"), put_of("k"), put_of("k", "c")}));
    BOOST_TEST(selection.selected == Places{2});
    BOOST_TEST(!select(*two, *make_commit(3, {deletion_of("b")})).any);
    BOOST_TEST(!two->lose_buckets(*make_commit(4, {deletion_of("c")}), {}));
}

BOOST_AUTO_TEST_CASE(of_many_keys_each_is_followed)
{
    const auto many = subscribe(many_keys({in("d", prefix("x"))}));
    for (const char* const bucket : {"b", "c"}) {
        for (const char* const name : {"k", "l", "no1", "no2", "no3"}) {
            BOOST_TEST(many->follows(bucket, name));
        }
        BOOST_TEST(!many->follows(bucket, "m"));
    }
    BOOST_TEST(!many->follows("d", "k"));
    BOOST_TEST(many->follows("d", "xk"));
    many->lose_buckets(*make_commit(1, {deletion_of("b")}), {});
    BOOST_TEST(!many->follows("b", "k"));
    BOOST_TEST(many->follows("c", "k"));
}

// W2 W3: a watch whose bucket ends in a commit, and the next one that starts there, together
// receive all of the commit.
BOOST_AUTO_TEST_CASE(messages_after_the_end_of_a_bucket_are_for_a_watch_that_starts_there)
{
    const SharedRecord commit =
        make_commit(5, {put_of("k"), deletion_of("b"), creation_of("b"), put_of("x"),
                        deletion_of("b"), put_of("k", "c"), creation_of("b"), put_of("k")});
    struct Case {
        SharedSubscription (*make)();
        std::vector<Places> pieces;
    };
    const std::vector<Case> cases{
        {[] { return subscribe("b", all()); }, {{0, 1}, {2, 3, 4}, {6, 7}}},
        {[] { return subscribe("b", key("k")); }, {{0, 1}, {4}, {7}}},
        {[] { return subscribe("b", prefix("x")); }, {{1}, {3, 4}}},
        {[] { return subscribe(whole_database()); }, {{}}},
        {[] { return subscribe(Selectors{in("b", all()), in("c", all())}); },
         {{0, 1, 5}}},  // continues with c: the new b is not for it
        {[] { return subscribe(Selectors{in("b", key("x")), in("d", all())}); }, {{1}, {3, 4}}},
    };
    for (std::size_t at = 0; at < cases.size(); ++at) {
        std::uint32_t seen = 0;
        for (const Places& piece : cases[at].pieces) {
            BOOST_TEST_CONTEXT("case " << at << ", from " << seen)
            {
                const SharedSubscription one = cases[at].make();
                one->start_within(4, seen);
                const Selection selection = select(*one, *commit);
                BOOST_TEST(selection.any);
                BOOST_TEST(selection.selected == piece);
                seen = one->seen_of(*commit, selection.selected);
                BOOST_TEST((seen == 0) == (&piece == &cases[at].pieces.back()));
            }
        }
    }
}

// A deletion that it has already seen does not end a bucket again.
BOOST_AUTO_TEST_CASE(an_end_from_before_the_start_loses_no_bucket)
{
    const SharedRecord commit =
        make_commit(5, {deletion_of("b"), put_of("k"), deletion_of("c"), put_of("l")});
    const SharedSubscription both = subscribe(Selectors{in("b", all()), in("c", all())});
    both->start_within(4, 1);
    const Selection selection = select(*both, *commit);
    BOOST_TEST(selection.selected == (Places{1, 2, 3}));
    BOOST_TEST(selection.loses);
    BOOST_TEST(both->lose_buckets(*commit, {}));
    BOOST_TEST(both->follows("b", "k"));
    BOOST_TEST(!both->follows("c", "k"));
}

BOOST_AUTO_TEST_CASE(only_the_commit_after_the_start_is_seen_in_part)
{
    const SharedSubscription one = subscribe("b", all());
    one->start_within(4, 1);
    for (const Revision revision : {4, 5, 6}) {
        const Selection selection =
            select(*one, *make_commit(revision, {put_of("k"), put_of("l")}));
        BOOST_TEST(selection.selected == (revision == 5 ? Places{1} : Places{}));
    }
    one->start_within(4, 2);
    BOOST_TEST(!select(*one, *make_commit(5, {put_of("k"), deletion_of("b")})).any);
    BOOST_TEST(!select(*one, *make_commit(5, {put_of("k"), deletion_of("b")})).loses);
}

// History and live delivery are one stream: history selects what the distributor routes, commit
// after commit, even if buckets have ended.
BOOST_AUTO_TEST_CASE(history_and_distributor_select_the_same)
{
    const auto seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 600; ++round) {
        Distributor distributor;
        std::vector<SharedSubscription> live = one_of_each();
        const std::vector<SharedSubscription> late = one_of_each();
        for (const SharedSubscription& each : live) {
            distributor.index().add(each);
        }
        for (Revision revision = 1; revision <= 8; ++revision) {
            const SharedRecord commit = random_commit(random, revision);
            distributor.begin(commit);
            while (!distributor.advance(1 + random() % 4)) {
            }
            for (std::size_t at = 0; at < late.size(); ++at) {
                const Selection selection = select(*late[at], *commit);
                const Selection routed = routed_to(live[at]);
                BOOST_REQUIRE_MESSAGE(selection.any == routed.any, at << ", seed " << seed);
                BOOST_REQUIRE_MESSAGE(selection.selected == routed.selected,
                                      at << ", seed " << seed);
                BOOST_REQUIRE_MESSAGE(selection.loses == routed.loses, at << ", seed " << seed);
                const bool goes_on =
                    !selection.loses || late[at]->lose_buckets(*commit, selection.selected);
                const bool ended = live[at]->inbox.signals().detached_at == revision;
                BOOST_REQUIRE_MESSAGE(goes_on != ended, at << ", seed " << seed);
                if (routed.loses) {
                    live[at]->lose_buckets(*commit, selection.selected);
                }
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
