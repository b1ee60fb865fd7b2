// SPDX-License-Identifier: BSL-1.0
#include "support/model/sorted_set_model.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>
#include <optional>
#include <random>
#include <stdexcept>

using namespace keywatch;
using namespace std::string_literals;
using keywatch::test::code;
using keywatch::test::failure_of;
using keywatch::test::Scored;
using keywatch::test::SortedModel;
using keywatch::test::Task;

namespace {

using Members = std::vector<Scored>;
using Strings = std::vector<std::string>;
using Sets = std::map<std::string, SortedModel>;

constexpr double infinity = std::numeric_limits<double>::infinity();

const Strings all_keys{"k"s, "k\0"s, "\xff"s};
const Strings all_members{""s,
                          "\0"s,
                          "\xff"s,
                          "\xff\xff"s,
                          std::string(30, '\xff'),
                          std::string(30, '\xff') + "1",
                          std::string(30, '\xff') + "2",
                          std::string(24, 'a'),
                          std::string(24, 'a') + '\0',
                          "b"s,
                          "c"s,
                          "costarring"s,
                          "liquid"s};
const std::vector<double> all_scores{-infinity, -2, -1e-310, -0.0,  0,
                                     1e-310,    1,  1.5,     1e300, infinity};

class Walk {
public:
    explicit Walk(std::uint32_t seed) : random_(seed) {}

    std::size_t below(std::size_t end) { return random_() % end; }

    /// Makes one change to both. Returns true if the results agree.
    bool change(SortedSet& set, Sets& sets);
    /// Reads one of the sets in all ways. Returns true if the results agree.
    bool read(const SortedSetView& set, const Sets& sets);

private:
    const std::string& key() { return all_keys[below(all_keys.size())]; }
    const std::string& member() { return all_members[below(all_members.size())]; }
    double score() { return all_scores[below(all_scores.size())]; }
    std::int64_t rank() { return static_cast<std::int64_t>(below(28)) - 14; }
    ScoreRange scores() { return {score(), score(), below(2) == 0, below(2) == 0}; }

    bool increment(SortedSet& set, const std::string& key, SortedModel& model);
    bool pop(SortedSet& set, const std::string& key, SortedModel& model, bool last);
    bool remove_many(SortedSet& set, const std::string& key, SortedModel& model);

    std::mt19937 random_;
};

Members by_rank(const Members& all, std::int64_t first, std::int64_t last)
{
    const auto size = static_cast<std::int64_t>(all.size());
    Members chosen;
    for (std::int64_t i = 0; i < size; ++i) {
        if (i >= (first < 0 ? first + size : first) && i <= (last < 0 ? last + size : last)) {
            chosen.push_back(all[static_cast<std::size_t>(i)]);
        }
    }
    return chosen;
}

Members by_score(const Members& all, const ScoreRange& scores)
{
    Members chosen;
    for (const Scored& each : all) {
        const double score = each.second;
        if ((scores.exclude_min ? score > scores.min : score >= scores.min) &&
            (scores.exclude_max ? score < scores.max : score <= scores.max)) {
            chosen.push_back(each);
        }
    }
    return chosen;
}

Members scanned(Members all, const MemberScan& scan)
{
    if (scan.reverse) {
        std::ranges::reverse(all);
    }
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(
                                             std::min<std::size_t>(scan.offset, all.size())));
    all.resize(std::min<std::size_t>(scan.limit, all.size()));
    return all;
}

bool Walk::change(SortedSet& set, Sets& sets)
{
    const std::string key = this->key();
    const std::string member = this->member();
    const double score = this->score();
    SortedModel& model = sets[key];
    switch (below(9)) {
    case 0:
    case 1: {
        const bool added = !model.scores.contains(member);
        model.scores[member] = score;
        return set.add(key, member, score) == added;
    }
    case 2: {
        const std::string other = this->member();
        const std::size_t before = model.scores.size();
        model.scores[member] = score;
        model.scores[other] = 7;
        return set.add(key, {{member, score}, {other, 7}}) == model.scores.size() - before;
    }
    case 3:
        return increment(set, key, model);
    case 4:
        return set.remove(key, member) == (model.scores.erase(member) == 1);
    case 5:
        return pop(set, key, model, false);
    case 6:
        return pop(set, key, model, true);
    case 7:
        return below(3) != 0 || remove_many(set, key, model);
    default: {
        const bool erases = below(10) == 0;
        const bool there = !model.scores.empty();
        if (erases) {
            model.scores.clear();
        }
        return !erases || set.erase(key) == there;
    }
    }
}

bool Walk::increment(SortedSet& set, const std::string& key, SortedModel& model)
{
    const std::string member = this->member();
    const double by = score();
    const auto at = model.scores.find(member);
    const double after = (at == model.scores.end() ? 0 : at->second) + by;
    double given = 0;
    const auto error = failure_of([&] { given = set.increment(key, member, by); });
    if (after != after) {
        return error == code(Error::invalid_score);
    }
    model.scores[member] = after;
    return !error && given == after;
}

bool Walk::pop(SortedSet& set, const std::string& key, SortedModel& model, bool last)
{
    const Members all = model.in_order();
    const auto given = last ? set.pop_max(key) : set.pop_min(key);
    if (all.empty()) {
        return !given;
    }
    const Scored expected = last ? all.back() : all.front();
    model.scores.erase(expected.first);
    return given == expected;
}

bool Walk::remove_many(SortedSet& set, const std::string& key, SortedModel& model)
{
    const bool ranked = below(2) == 0;
    const std::int64_t first = rank();
    const std::int64_t last = rank();
    const ScoreRange scores = this->scores();
    const Members gone =
        ranked ? by_rank(model.in_order(), first, last) : by_score(model.in_order(), scores);
    for (const Scored& each : gone) {
        model.scores.erase(each.first);
    }
    return (ranked ? set.remove_by_rank(key, first, last) : set.remove_by_score(key, scores)) ==
           gone.size();
}

bool Walk::read(const SortedSetView& set, const Sets& sets)
{
    const std::string key = this->key();
    const auto at = sets.find(key);
    const SortedModel model = at == sets.end() ? SortedModel{} : at->second;
    const Members all = model.in_order();
    bool same = set.size(key) == all.size() && set.members(key).to_vector() == all &&
                set.min(key) == (all.empty() ? std::nullopt : std::optional(all.front())) &&
                set.max(key) == (all.empty() ? std::nullopt : std::optional(all.back()));
    for (std::size_t i = 0; i < all.size(); ++i) {
        same = same && set.score(key, all[i].first) == all[i].second &&
               set.rank(key, all[i].first) == i &&
               set.reverse_rank(key, all[i].first) == all.size() - 1 - i;
    }
    const std::int64_t first = rank();
    const std::int64_t last = rank();
    const ScoreRange scores = this->scores();
    const MemberScan scan{below(4), below(2) == 0 ? below(6) : 99, below(2) == 0};
    const std::string from = member();
    const std::string to = member();
    Members between;
    for (const auto& [member, score] : model.scores) {
        if (member >= from && member < to) {
            between.emplace_back(member, score);
        }
    }
    return same && set.range_by_rank(key, first, last).to_vector() == by_rank(all, first, last) &&
           set.count_by_score(key, scores) == by_score(all, scores).size() &&
           set.range_by_score(key, scores, scan).to_vector() ==
               scanned(by_score(all, scores), scan) &&
           set.range_by_member(key, from, to, scan).to_vector() == scanned(between, scan) &&
           set.range_by_member(key, {}, std::nullopt, scan).to_vector() ==
               scanned(Members(model.scores.begin(), model.scores.end()), scan);
}

bool equal(const Sets& some, const Sets& others)
{
    for (const std::string& key : all_keys) {
        const auto a = some.find(key);
        const auto b = others.find(key);
        if ((a == some.end() ? SortedModel{} : a->second).scores !=
            (b == others.end() ? SortedModel{} : b->second).scores) {
            return false;
        }
    }
    return true;
}

}  // namespace

// Compares random operations of sorted sets with a map: their results, what a transaction and a
// view see afterwards, and whether the messages describe all changes.
BOOST_FIXTURE_TEST_SUITE(test_sorted_set_model, test::EventLoop)

BOOST_AUTO_TEST_CASE(random_operations_agree_with_a_map_and_messages_replay_them)
{
    const std::uint32_t seed = std::random_device()();
    BOOST_TEST_MESSAGE("seed " << seed);
    run([&]() -> Task {
        Database db = co_await test::open_database(test::watched_options());
        co_await test::create(db, "b", Structure::sorted_set);
        Walk walk(seed);
        Sets sets;
        for (int i = 0; i < 250; ++i) {
            Sets changed = sets;
            const bool fails = walk.below(4) == 0;
            const auto transaction = [&](Transaction& tx) {
                SortedSet set = tx.sorted_set("b");
                for (std::size_t left = walk.below(20); left > 0; --left) {
                    BOOST_TEST(walk.change(set, changed), "seed " << seed);
                    BOOST_TEST(walk.read(set, changed), "seed " << seed);
                }
                if (fails) {
                    throw std::out_of_range("on purpose");
                }
            };
            try {
                co_await db.update(transaction);
                sets = changed;
            } catch (const std::out_of_range&) {
                BOOST_TEST(fails);
            }
            co_await db.view([&](const Snapshot& snapshot) {
                for (int reads = 0; reads < 5; ++reads) {
                    BOOST_TEST(walk.read(snapshot.sorted_set("b"), sets), "seed " << seed);
                }
            });
        }
        const std::vector<OwnedMessage> messages = co_await test::messages_of(db, "b");
        Sets replayed;
        for (const OwnedMessage& each : messages) {
            BOOST_TEST(test::replay(replayed, *each),
                       "seed " << seed << ' ' << test::sorted_line(*each));
        }
        BOOST_TEST(equal(replayed, sets), "seed " << seed);
        BOOST_TEST(messages.size() > 500U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
