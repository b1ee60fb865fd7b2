// SPDX-License-Identifier: BSL-1.0
#include "structures/scan/state_scan.hpp"

#include "structures/btree/btree.hpp"
#include "structures/collection.hpp"
#include "structures/list/list.hpp"
#include "structures/set/set.hpp"
#include "structures/sorted_set/sorted_set.hpp"
#include "support/engine/counting_workspace.hpp"
#include "support/loop/event_loop.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

using namespace keywatch;
using namespace keywatch::structures;
using keywatch::test::CountingWorkspace;
using namespace std::chrono_literals;

namespace {

constexpr Time now = Time{} + 1h;

/// The parts of a message that the test compares.
using Line =
    std::tuple<Operation, std::string, std::string, std::optional<double>, std::optional<Time>>;
using Lines = std::vector<Line>;

/// Counts how many iterators exist.
class Watched final : public KeyIterator {
public:
    Watched(std::shared_ptr<KeyIterator> iterator, int& alive)
        : iterator_(std::move(iterator)), alive_(alive)
    {
        ++alive_;
    }
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;
    ~Watched() override { --alive_; }

    bool valid() const override { return iterator_->valid(); }
    void seek(std::string_view key) override { iterator_->seek(key); }
    void seek_before(std::string_view key) override { iterator_->seek_before(key); }
    void first() override { iterator_->first(); }
    void last() override { iterator_->last(); }
    void next() override { iterator_->next(); }
    void previous() override { iterator_->previous(); }
    std::string_view key() const override { return iterator_->key(); }
    std::string_view value() const override { return iterator_->value(); }

private:
    std::shared_ptr<KeyIterator> iterator_;
    int& alive_;
};

struct State {
    CountingWorkspace workspace;
    int alive = 0;

    std::unique_ptr<StateScan> scan(Structure structure, std::vector<KeyInterval> selected)
    {
        const auto space = [this] {
            return std::make_shared<Watched>(workspace.iterate(0), alive);
        };
        return scan_state(structure, space, std::move(selected), now);
    }

    /// Returns all messages. The scan is released after every `release_after` messages.
    Lines lines(Structure structure, std::vector<KeyInterval> selected, std::size_t release_after)
    {
        Lines lines;
        const auto scan = this->scan(structure, std::move(selected));
        while (scan->valid()) {
            const Message& each = scan->message();
            BOOST_TEST(each.structure == structure);
            lines.emplace_back(each.operation, each.key, each.value, each.score, each.deadline);
            scan->next();
            if (lines.size() % release_after == 0) {
                scan->release();
                BOOST_TEST(alive == 0);
            }
        }
        return lines;
    }
    Lines lines(Structure structure) { return lines(structure, {{"", std::nullopt}}, 1000); }
};

Line put(std::string key, std::string value, std::optional<Time> deadline = {})
{
    return {Operation::put, std::move(key), std::move(value), std::nullopt, deadline};
}
Line push(std::string key, std::string value)
{
    return {Operation::push_back, std::move(key), std::move(value), std::nullopt, std::nullopt};
}
Line add(std::string key, std::string member, std::optional<double> score = {})
{
    return {Operation::add, std::move(key), std::move(member), score, std::nullopt};
}
Line ttl(std::string key, Time deadline)
{
    return {Operation::ttl, std::move(key), {}, std::nullopt, deadline};
}

void push_back(CountingWorkspace& workspace, std::string_view key, std::string_view value)
{
    list::push_back(workspace, 0, key, std::span(&value, 1));
}
void add_to_set(CountingWorkspace& workspace, std::string_view key, std::string_view member)
{
    set::add(workspace, 0, key, std::span(&member, 1));
}
void add_scored(CountingWorkspace& workspace, std::string_view key, std::string_view member,
                double score)
{
    const ScoredMember scored{member, score};
    sorted_set::add(workspace, 0, key, std::span(&scored, 1));
}

/// Deadlines are set at time 0, so one of 1h would have passed at `now`.
constexpr Time later = Time{} + 1h + 1ms;

constexpr Structure all_structures[] = {Structure::btree, Structure::list, Structure::set,
                                        Structure::sorted_set};

/// Makes the same random writes to a bucket of each structure and to plain containers.
class Model {
public:
    explicit Model(std::mt19937_64& random) : random_(random)
    {
        for (const Structure structure : all_structures) {
            stored[structure];
        }
    }

    void write()
    {
        const std::string k = key();
        const std::string v = std::to_string(pick(20));
        const auto score = static_cast<double>(pick(3));
        btree::put(stored[Structure::btree].workspace, 0, k, v);
        btree_[k] = {put(k, v)};
        push_back(stored[Structure::list].workspace, k, v);
        list_[k].push_back(push(k, v));
        add_to_set(stored[Structure::set].workspace, k, v);
        set_[k].insert(v);
        add_scored(stored[Structure::sorted_set].workspace, k, v, score);
        std::erase_if(sorted_set_[k], [&](const auto& each) { return each.second == v; });
        sorted_set_[k].emplace(score, v);
    }

    /// Returns one or two intervals that do not overlap.
    std::vector<KeyInterval> intervals()
    {
        std::vector<std::string> edges{key(), key(), key(), key()};
        std::ranges::sort(edges);
        std::vector<KeyInterval> intervals{{edges[0], edges[1]}};
        if (edges[2] > edges[1]) {
            intervals.push_back({edges[2], pick(2) == 0 ? std::nullopt : std::optional(edges[3])});
        }
        return intervals;
    }

    Lines selected(Structure structure, const std::vector<KeyInterval>& intervals) const
    {
        Lines selected;
        for (const Line& line : lines(structure)) {
            const std::string& k = std::get<1>(line);
            if (std::ranges::any_of(intervals, [&](const KeyInterval& each) {
                    return k >= each.first && (!each.end || k < *each.end);
                })) {
                selected.push_back(line);
            }
        }
        return selected;
    }

    std::map<Structure, State> stored;

private:
    std::uint64_t pick(std::uint64_t below) { return random_() % below; }
    std::string key() { return std::string(1 + pick(2), static_cast<char>('a' + pick(6))); }

    Lines lines(Structure structure) const
    {
        Lines lines;
        if (structure == Structure::set) {
            for (const auto& [k, members] : set_) {
                for (const std::string& v : members) {
                    lines.push_back(add(k, v));
                }
            }
        } else if (structure == Structure::sorted_set) {
            for (const auto& [k, members] : sorted_set_) {
                for (const auto& [score, v] : members) {
                    lines.push_back(add(k, v, score));
                }
            }
        } else {
            for (const auto& [k, each] : structure == Structure::btree ? btree_ : list_) {
                lines.insert(lines.end(), each.begin(), each.end());
            }
        }
        return lines;
    }

    std::mt19937_64& random_;
    std::map<std::string, Lines> btree_;
    std::map<std::string, Lines> list_;
    std::map<std::string, std::set<std::string>> set_;
    std::map<std::string, std::set<std::pair<double, std::string>>> sorted_set_;
};

}  // namespace

// `StateScan`: the state of buckets, read in parts.
BOOST_FIXTURE_TEST_SUITE(test_state_scan, State)

BOOST_AUTO_TEST_CASE(keys_of_a_btree_have_their_deadlines_until_they_expire)
{
    btree::put(workspace, 0, "a", "1");
    btree::put(workspace, 0, "b", "2", 1h);
    btree::put(workspace, 0, "c", "", 1h + 1ms);
    BOOST_TEST(lines(Structure::btree) == (Lines{put("a", "1"), put("c", "", later)}));
}

BOOST_AUTO_TEST_CASE(collections_that_have_a_deadline_end_with_it)
{
    push_back(workspace, "a", "1");
    push_back(workspace, "b", "2");
    push_back(workspace, "c", "3");
    push_back(workspace, "c", "4");
    collection::set_ttl(workspace, 0, "b", 1h);
    collection::set_ttl(workspace, 0, "c", 1h + 1ms);
    BOOST_TEST(lines(Structure::list) ==
               (Lines{push("a", "1"), push("c", "3"), push("c", "4"), ttl("c", later)}));
    BOOST_TEST(lines(Structure::list, {{"b", std::nullopt}}, 1) ==
               (Lines{push("c", "3"), push("c", "4"), ttl("c", later)}));
}

BOOST_AUTO_TEST_CASE(a_list_comes_from_its_first_element_on)
{
    for (int i = 0; i < 5; ++i) {
        push_back(workspace, "k", std::to_string(i));
    }
    list::pop_front(workspace, 0, "k");
    list::pop_back(workspace, 0, "k");
    BOOST_TEST(lines(Structure::list) == (Lines{push("k", "1"), push("k", "2"), push("k", "3")}));
}

BOOST_AUTO_TEST_CASE(members_may_be_empty_and_scores_infinite)
{
    add_to_set(workspace, "k", "");
    add_to_set(workspace, "k", "x");
    BOOST_TEST(lines(Structure::set, {{"", std::nullopt}}, 1) ==
               (Lines{add("k", ""), add("k", "x")}));
    State sorted;
    const double infinity = std::numeric_limits<double>::infinity();
    add_scored(sorted.workspace, "k", "", -infinity);
    add_scored(sorted.workspace, "k", "z", -infinity);
    add_scored(sorted.workspace, "k", "a", infinity);
    BOOST_TEST(sorted.lines(Structure::sorted_set, {{"", std::nullopt}}, 1) ==
               (Lines{add("k", "", -infinity), add("k", "z", -infinity), add("k", "a", infinity)}));
}

// Elements popped from the front of a set are not scanned, even if LevelDB still has traces of
// them.
BOOST_AUTO_TEST_CASE(a_scan_begins_after_popped_elements)
{
    for (int i = 100; i < 300; ++i) {
        add_to_set(workspace, "k", std::to_string(i));
    }
    for (int i = 0; i < 190; ++i) {
        set::pop(workspace, 0, "k");
    }
    workspace.take_steps();
    BOOST_TEST(lines(Structure::set).size() == 10U);
    BOOST_TEST(workspace.take_steps().erased <= 1U);
}

BOOST_AUTO_TEST_CASE(keys_between_the_intervals_are_not_scanned)
{
    for (int i = 100; i < 300; ++i) {
        btree::put(workspace, 0, std::to_string(i), "v");
    }
    workspace.take_steps();
    const std::vector<KeyInterval> selected{{"0", "1"}, {"120", "122"}, {"250", "2500"}, {"9", {}}};
    BOOST_TEST(lines(Structure::btree, selected, 1000) ==
               (Lines{put("120", "v"), put("121", "v"), put("250", "v")}));
    BOOST_TEST(workspace.take_steps().live <= 4U);
    BOOST_TEST(lines(Structure::btree, {}, 1).empty());
}

BOOST_AUTO_TEST_CASE(an_element_that_is_missing_is_damage)
{
    push_back(workspace, "k", "1");
    push_back(workspace, "k", "2");
    const auto iterator = workspace.iterate(0);
    iterator->seek("e");
    workspace.erase(0, std::string(iterator->key()));
    BOOST_TEST(keywatch::test::failure_of([&] { lines(Structure::list); }) ==
               make_error_code(Error::damaged));
}

// Random writes, random intervals and releases anywhere, compared with plain containers.
BOOST_AUTO_TEST_CASE(a_scan_equals_a_model)
{
    const char* const given = std::getenv("KEYWATCH_SEED");
    const std::uint64_t seed =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::cerr << "KEYWATCH_SEED=" << seed << '\n';
    std::mt19937_64 random(seed);
    for (int round = 0; round < 200; ++round) {
        Model model(random);
        for (auto writes = random() % 60; writes > 0; --writes) {
            model.write();
        }
        const std::vector<KeyInterval> selected = model.intervals();
        const std::size_t release_after = 1 + random() % 7;
        for (const Structure structure : all_structures) {
            State& stored = model.stored.at(structure);
            BOOST_TEST(stored.lines(structure, selected, release_after) ==
                       model.selected(structure, selected));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
