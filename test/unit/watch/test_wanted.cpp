// SPDX-License-Identifier: BSL-1.0
#include "watch/wanted.hpp"

#include "support/printing.hpp"
#include "support/watch/commits.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace keywatch::watch;

namespace {

using Places = std::vector<std::uint32_t>;

bool is_good(const Message& message)
{
    if (message.key == "throw") {
        throw std::runtime_error("not this one");
    }
    return message.key.starts_with("good");
}

Entry entry_of(SharedRecord commit, Places selected = {})
{
    return {std::move(commit), std::move(selected), {}, false};
}

std::vector<Entry> batch(std::vector<Entry> entries)
{
    return entries;
}

DraftMessage change_of(Operation operation, std::string key = "k")
{
    return {operation, "b", std::move(key), "v", false};
}

}  // namespace

// The messages of a commit that pass a predicate.
BOOST_AUTO_TEST_SUITE(test_wanted)

BOOST_AUTO_TEST_CASE(without_a_predicate_everything_is_wanted)
{
    const auto commit = make_commit(1, {put_of("bad"), put_of("good")});
    const Commit offered(*commit, nullptr);
    const Wanted wanted(offered, nullptr);
    BOOST_TEST(wanted.any());
    BOOST_TEST(wanted.left_out() == 0U);
    BOOST_TEST(wanted.commit().size() == 2U);
}

BOOST_AUTO_TEST_CASE(the_messages_that_pass_are_a_commit_of_their_own)
{
    const Predicate predicate = is_good;
    const auto commit = make_commit(
        3, {put_of("bad"), put_of("good1"), put_of("skipped"), put_of("good2"), put_of("bad")});
    const Places selected{0, 1, 3, 4};
    const Commit offered(*commit, &selected);
    const Wanted wanted(offered, &predicate);
    BOOST_TEST(wanted.left_out() == 2U);
    BOOST_TEST(wanted.places() == (Places{1, 3}));
    BOOST_TEST_REQUIRE(wanted.commit().size() == 2U);
    BOOST_TEST(!wanted.commit()[0].last_in_commit);
    BOOST_TEST(wanted.commit()[1].last_in_commit);
    BOOST_TEST(wanted.commit()[1].key == "good2");
    BOOST_TEST(wanted.commit()[1].first_revision == 3U);
    BOOST_TEST(wanted.commit().revision() == 3U);
}

BOOST_AUTO_TEST_CASE(what_a_message_stands_for_stays)
{
    const Predicate predicate = is_good;
    const auto commit = make_commit(9, {put_of("bad"), put_of("good")});
    const std::vector<Revision> since{4, 5};
    const Commit offered(*commit, nullptr, &since);
    const Wanted wanted(offered, &predicate);
    BOOST_TEST(wanted.commit()[0].first_revision == 5U);
    BOOST_TEST(wanted.commit()[0].revision == 9U);
}

// Trap 12
BOOST_AUTO_TEST_CASE(the_predicate_is_called_only_for_additions_and_changes)
{
    std::vector<Operation> asked;
    const Predicate nothing = [&](const Message& message) {
        asked.push_back(message.operation);
        return false;
    };
    std::vector<DraftMessage> changes;
    for (unsigned operation = 1; operation <= 18; ++operation) {
        changes.push_back(change_of(static_cast<Operation>(operation)));
    }
    const auto commit = make_commit(1, changes);
    const Commit offered(*commit, nullptr);
    const Wanted wanted(offered, &nothing);
    const std::vector<Operation> brings{
        Operation::put, Operation::push_front, Operation::push_back, Operation::insert,
        Operation::set, Operation::add,        Operation::rescore};
    BOOST_TEST(asked == brings);
    BOOST_TEST(wanted.left_out() == brings.size());
    BOOST_TEST(wanted.commit().size() == changes.size() - brings.size());
}

BOOST_AUTO_TEST_CASE(commits_without_any_passing_message_are_removed_from_a_batch)
{
    const WantedEntries wanted =
        wanted_of(batch({entry_of(make_commit(1, {put_of("bad")})),
                         entry_of(make_commit(2, {put_of("good"), put_of("good")})),
                         entry_of(make_commit(3, {put_of("good"), put_of("bad"), put_of("good")})),
                         entry_of(make_commit(4, {put_of("good"), put_of("bad")}), {1})}),
                  is_good);
    BOOST_TEST(!wanted.error);
    BOOST_TEST_REQUIRE(wanted.entries.size() == 2U);
    BOOST_TEST(wanted.entries[0].commit->revision == 2U);
    BOOST_TEST(wanted.entries[0].selected.empty());
    BOOST_TEST(wanted.entries[1].selected == (Places{0, 2}));
    BOOST_TEST(wanted.entries[1].since.empty());
}

BOOST_AUTO_TEST_CASE(an_exception_ends_a_batch_before_that_commit)
{
    const WantedEntries wanted =
        wanted_of(batch({entry_of(make_commit(6, {put_of("good")})),
                         entry_of(make_commit(8, {put_of("good"), put_of("throw")})),
                         entry_of(make_commit(9, {put_of("good")}))}),
                  is_good);
    BOOST_REQUIRE(wanted.error);
    BOOST_CHECK_THROW(std::rethrow_exception(wanted.error), std::runtime_error);
    BOOST_TEST(wanted.before_error == 7U);
    BOOST_TEST_REQUIRE(wanted.entries.size() == 1U);
    BOOST_TEST(wanted.entries[0].commit->revision == 6U);
}

BOOST_AUTO_TEST_SUITE_END()
