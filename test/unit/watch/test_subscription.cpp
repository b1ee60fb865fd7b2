// SPDX-License-Identifier: BSL-1.0
#include "watch/distributor.hpp"

#include "support/commits.hpp"

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

SharedSubscription subscribe(std::string bucket, Selector selector)
{
    return std::make_shared<Subscription>(in(std::move(bucket), std::move(selector)), Filter(),
                                          Budget{1000, 1000 * 1000});
}

/// A transaction as random as the engine could make it: deletions say truly what they end.
SharedRecord random_commit(std::mt19937& random, Revision revision)
{
    const std::vector<std::string> names{"b", "c"};
    const std::vector<std::string> keys{"k", "l", "m"};
    std::vector<Change> changes;
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

BOOST_AUTO_TEST_SUITE(test_subscription)

BOOST_AUTO_TEST_CASE(a_key_is_given_its_own_messages_and_the_end_of_its_bucket)
{
    const auto one = subscribe("b", key("k"));
    const auto commit = make_commit(
        1, {creation_of("b"), put_of("k"), put_of("l"), put_of("k", "c"), deletion_of("b", false)});
    const Selection selection = select(*one, *commit);
    BOOST_TEST(selection.any);
    BOOST_TEST(!selection.loses);
    BOOST_TEST(selection.selected == (Places{1, 4}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_whole_bucket_is_given_its_creation_too)
{
    const auto whole = subscribe("b", all());
    const auto commit = make_commit(1, {creation_of("b"), put_of("k"), put_of("k", "c")});
    BOOST_TEST(select(*whole, *commit).selected == (Places{0, 1}),
               boost::test_tools::per_element());
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
    BOOST_TEST(selection.selected == (Places{0, 1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_end_that_is_the_last_message_is_still_an_end)
{
    const auto one = subscribe("b", key("k"));
    const Selection selection = select(*one, *make_commit(1, {deletion_of("b")}));
    BOOST_TEST(selection.any);
    BOOST_TEST(selection.loses);
    BOOST_TEST(selection.selected.empty());
}

// Catching up and live are one stream: what history selects is what the distributor routes.
BOOST_AUTO_TEST_CASE(history_and_distributor_select_the_same)
{
    const auto seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    for (Revision revision = 1; revision <= 4000; ++revision) {
        const SharedRecord commit = random_commit(random, revision);
        Distributor distributor;
        const std::vector<SharedSubscription> everybody{
            subscribe("b", key("k")), subscribe("b", all()), subscribe("c", key("l")),
            subscribe("c", all()), subscribe("d", all())};
        for (const SharedSubscription& each : everybody) {
            distributor.index().add(each);
        }
        distributor.route(commit);
        for (const SharedSubscription& each : everybody) {
            const Selection selection = select(*each, *commit);
            const Inbox::Taken taken = each->inbox.take();
            BOOST_REQUIRE_MESSAGE(taken.entries.size() == (selection.any ? 1U : 0U),
                                  "seed " << seed);
            if (selection.any) {
                BOOST_TEST(taken.entries[0].selected == selection.selected,
                           boost::test_tools::per_element());
            }
            BOOST_TEST((taken.signals.detached_at == revision) == selection.loses);
            BOOST_TEST(distributor.index().remove(*each) == !selection.loses);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
