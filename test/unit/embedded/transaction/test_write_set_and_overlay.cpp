// SPDX-License-Identifier: BSL-1.0
#include "embedded/transaction/overlay.hpp"
#include "embedded/transaction/write_set.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::embedded;

namespace {

using Values = std::map<std::string, std::optional<std::string>>;

std::shared_ptr<WriteSet> writes(const Values& values)
{
    auto set = std::make_shared<WriteSet>();
    for (const auto& [key, value] : values) {
        value ? set->put(key, *value) : set->erase(key);
    }
    return set;
}

Values content(const Overlay& overlay)
{
    Values values;
    for (const auto& [key, entry] : overlay.map()) {
        values.emplace(key, entry.value);
    }
    return values;
}

}  // namespace

// `WriteSet` and `Overlay`: writes that are not durable yet.
BOOST_AUTO_TEST_SUITE(test_write_set_and_overlay)

BOOST_AUTO_TEST_CASE(the_newest_write_of_a_key_counts)
{
    WriteSet set;
    set.put("a", "1");
    set.put("b", "1");
    set.put("a", "2");
    set.erase("b");
    set.erase("c");
    BOOST_TEST(set.map().size() == 3U);
    BOOST_TEST(set.map().find("a")->second == "2");
    BOOST_TEST(set.map().find("b")->second == std::nullopt);
    BOOST_TEST(set.map().find("c")->second == std::nullopt);
    set.put("c", "");
    BOOST_TEST(set.map().find("c")->second == "");
}

// A loop over a bucket writes the keys whose values it still uses.
BOOST_AUTO_TEST_CASE(views_of_replaced_values_do_not_change)
{
    for (const std::string& value : {std::string("short"), std::string(100, 'l')}) {
        WriteSet set;
        set.put("a", value);
        const std::string_view view = *set.map().find("a")->second;
        const std::string_view key = set.map().find("a")->first;
        for (int i = 0; i < 100; ++i) {
            set.put("a", std::to_string(i));
            set.erase("a");
            set.put(std::to_string(i), value);
        }
        BOOST_TEST(view == value);
        BOOST_TEST(key == "a");
    }
}

BOOST_AUTO_TEST_CASE(the_newest_transaction_hides_the_older_ones)
{
    Overlay overlay;
    overlay.add(1, writes({{"a", "1"}, {"b", "1"}, {"c", "1"}}));
    overlay.add(2, writes({{"b", "2"}, {"c", std::nullopt}, {"d", "2"}}));
    const Values expected{{"a", "1"}, {"b", "2"}, {"c", std::nullopt}, {"d", "2"}};
    BOOST_TEST(content(overlay) == expected);
}

BOOST_AUTO_TEST_CASE(only_durable_writes_are_removed)
{
    Overlay overlay;
    overlay.add(1, writes({{"a", "1"}, {"b", "1"}}));
    overlay.add(2, writes({{"b", "2"}}));
    overlay.add(4, writes({{"c", "4"}}));
    overlay.prune(0);
    BOOST_TEST(overlay.map().size() == 3U);
    overlay.prune(1);
    BOOST_TEST(content(overlay) == (Values{{"b", "2"}, {"c", "4"}}));
    overlay.prune(3);
    BOOST_TEST(content(overlay) == (Values{{"c", "4"}}));
    overlay.prune(4);
    BOOST_TEST(overlay.map().empty());
}

// The map's keys are views into write sets. Removing a write set must not invalidate other keys.
BOOST_AUTO_TEST_CASE(random_commits_and_prunings_keep_it_equal_to_a_model)
{
    const auto seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    Overlay overlay;
    std::map<Revision, Values> waiting;
    Revision head = 0;
    for (int step = 0; step < 4000; ++step) {
        if (random() % 3 != 0) {
            Values values;
            for (std::size_t count = random() % 4; count > 0; --count) {
                auto value = random() % 4 == 0 ? std::nullopt
                                               : std::optional(std::to_string(random() % 100));
                // Some keys are too long for the string's internal buffer.
                const std::string key =
                    std::string(random() % 2 * 30, 'k') + static_cast<char>('a' + random() % 5);
                values[key] = std::move(value);
            }
            overlay.add(++head, writes(values));
            waiting[head] = std::move(values);
        } else {
            const Revision durable = head - random() % (waiting.size() + 1);
            overlay.prune(durable);
            waiting.erase(waiting.begin(), waiting.upper_bound(durable));
        }
        Values expected;
        for (const auto& [revision, values] : waiting) {
            for (const auto& [key, value] : values) {
                expected[key] = value;
            }
        }
        BOOST_REQUIRE_MESSAGE(content(overlay) == expected, "seed " << seed);
    }
}

BOOST_AUTO_TEST_SUITE_END()
