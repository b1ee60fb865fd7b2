// SPDX-License-Identifier: BSL-1.0
#include "support/model/list_model.hpp"
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <stdexcept>
#include <utility>

using namespace keywatch;
using namespace keywatch::test;

namespace {

using Lists = std::map<std::string, Elements>;

/// Converts an index to one of the first `limit` places; nothing if it is outside.
std::optional<std::size_t> place(std::int64_t index, std::size_t size, std::size_t limit)
{
    const std::int64_t at = index < 0 ? index + static_cast<std::int64_t>(size) : index;
    return at >= 0 && at < static_cast<std::int64_t>(limit) ? std::optional<std::size_t>(at)
                                                            : std::nullopt;
}

/// Returns the elements from `first` to `last`, one by one.
Elements part(const Elements& list, std::int64_t first, std::int64_t last)
{
    Elements part;
    const auto size = static_cast<std::int64_t>(list.size());
    for (std::int64_t i = 0; i < size; ++i) {
        if (i >= (first < 0 ? first + size : first) && i <= (last < 0 ? last + size : last)) {
            part.push_back(list[static_cast<std::size_t>(i)]);
        }
    }
    return part;
}

std::size_t remove_from(Elements& list, const std::string& value, std::int64_t count)
{
    std::size_t removed = 0;
    const std::size_t most = count == 0 ? list.size() : static_cast<std::size_t>(std::abs(count));
    for (std::size_t i = 0; i < list.size() && removed < most;) {
        const std::size_t at = count < 0 ? list.size() - 1 - i : i;
        if (list[at] == value) {
            list.erase(list.begin() + static_cast<std::ptrdiff_t>(at));
            ++removed;
        } else {
            ++i;
        }
    }
    return removed;
}

/// Makes the same changes to a bucket and to its model, and compares the results.
class Twin {
public:
    Twin(std::mt19937& random, List lists, Lists& model)
        : random_(random), lists_(std::move(lists)), model_(model)
    {
    }

    void do_something()
    {
        const std::string key(1, "abc"[below(3)]);
        Elements& list = model_[key];
        change(key, list);
        BOOST_TEST_REQUIRE(lists_.size(key) == list.size());
        if (list.empty()) {
            model_.erase(key);
        }
    }

private:
    std::size_t below(std::size_t limit) { return random_() % limit; }
    /// Returns one of few values, so that some occur several times.
    std::string value() { return std::string(below(3), 'x') + "|" + std::to_string(below(4)); }
    /// Returns an index that is sometimes out of range.
    std::int64_t index(const Elements& list)
    {
        const auto size = static_cast<std::int64_t>(list.size());
        return static_cast<std::int64_t>(below(2 * list.size() + 4)) - size - 2;
    }
    std::vector<std::string> values()
    {
        std::vector<std::string> values(below(12));
        std::ranges::generate(values, [this] { return value(); });
        return values;
    }

    void change(const std::string& key, Elements& list)
    {
        switch (below(12)) {
        case 0:
            return push_one(key, list);
        case 1:
            return push_many_front(key, list);
        case 2:
            return push_many_back(key, list);
        case 3:
        case 4:
            return pop(key, list);
        case 5:
            return set(key, list);
        case 6:
        case 7:
            return insert(key, list);
        case 8:
            return remove(key, list);
        case 9:
            return remove_at(key, list);
        case 10:
            return trim(key, list);
        default:
            return read_or_erase(key, list);
        }
    }

    void push_one(const std::string& key, Elements& list)
    {
        const std::string pushed = value();
        if (below(2) == 0) {
            list.push_front(pushed);
            BOOST_TEST(lists_.push_front(key, pushed) == list.size());
        } else {
            list.push_back(pushed);
            BOOST_TEST(lists_.push_back(key, pushed) == list.size());
        }
    }
    void push_many_front(const std::string& key, Elements& list)
    {
        const auto many = values();
        list.insert(list.begin(), many.rbegin(), many.rend());
        BOOST_TEST(lists_.push_front(key, many) == list.size());
    }
    void push_many_back(const std::string& key, Elements& list)
    {
        const auto many = values();
        list.insert(list.end(), many.begin(), many.end());
        BOOST_TEST(lists_.push_back(key, many) == list.size());
    }
    void pop(const std::string& key, Elements& list)
    {
        const bool front = below(2) == 0;
        const auto popped = front ? lists_.pop_front(key) : lists_.pop_back(key);
        BOOST_TEST(popped.has_value() == !list.empty());
        if (popped) {
            BOOST_TEST(*popped == (front ? list.front() : list.back()));
            front ? list.pop_front() : list.pop_back();
        }
    }
    void set(const std::string& key, Elements& list)
    {
        const std::int64_t at = index(list);
        const std::string replacement = value();
        if (const auto to = place(at, list.size(), list.size())) {
            lists_.set(key, at, replacement);
            list[*to] = replacement;
        } else {
            BOOST_TEST(failure_of([&] { lists_.set(key, at, replacement); }) ==
                       code(Error::index_out_of_range));
        }
    }
    void insert(const std::string& key, Elements& list)
    {
        const std::int64_t at = index(list);
        const std::string added = value();
        if (const auto to = place(at, list.size(), list.size() + 1)) {
            list.insert(list.begin() + static_cast<std::ptrdiff_t>(*to), added);
            BOOST_TEST(lists_.insert(key, at, added) == list.size());
        } else {
            BOOST_TEST(failure_of([&] { lists_.insert(key, at, added); }) ==
                       code(Error::index_out_of_range));
        }
    }
    void remove(const std::string& key, Elements& list)
    {
        const std::string removed = value();
        const auto count = static_cast<std::int64_t>(below(7)) - 3;
        const std::size_t expected = remove_from(list, removed, count);
        BOOST_TEST(lists_.remove(key, removed, count) == expected);
    }
    void remove_at(const std::string& key, Elements& list)
    {
        std::vector<std::int64_t> indexes(below(6));
        std::ranges::generate(indexes, [&] { return index(list); });
        std::vector<bool> goes(list.size());
        for (const std::int64_t each : indexes) {
            const auto at = place(each, list.size(), list.size());
            if (!at) {
                BOOST_TEST(failure_of([&] { lists_.remove_at(key, indexes); }) ==
                           code(Error::index_out_of_range));
                return;
            }
            goes[*at] = true;
        }
        Elements left;
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (!goes[i]) {
                left.push_back(list[i]);
            }
        }
        BOOST_TEST(lists_.remove_at(key, indexes) == list.size() - left.size());
        list = left;
    }
    void trim(const std::string& key, Elements& list)
    {
        const std::int64_t first = index(list);
        const std::int64_t last = index(list);
        list = part(list, first, last);
        BOOST_TEST(lists_.trim(key, first, last) == list.size());
    }
    void read_or_erase(const std::string& key, Elements& list)
    {
        const std::int64_t first = index(list);
        const std::int64_t last = index(list);
        const Elements expected = part(list, first, last);
        BOOST_TEST(lists_.range(key, first, last).to_vector() ==
                   std::vector<std::string>(expected.begin(), expected.end()));
        const auto at = place(first, list.size(), list.size());
        BOOST_TEST(lists_.at(key, first) == (at ? std::optional(list[*at]) : std::nullopt));
        if (below(4) == 0) {
            BOOST_TEST(lists_.erase(key) == !list.empty());
            list.clear();
        }
    }

    std::mt19937& random_;
    List lists_;
    Lists& model_;
};

Lists all_of(const ListView& lists)
{
    Lists all;
    for (const std::string_view key : lists.keys()) {
        for (const std::string_view each : lists.range(key)) {
            all[std::string(key)].emplace_back(each);
        }
    }
    return all;
}

/// Commits a transaction of several operations; one in five is rolled back.
Task commit_something(Database db, std::mt19937& random, Lists& model)
{
    Lists changed = model;
    const bool fails = random() % 5 == 0;
    const auto change = [&](Transaction& tx) {
        Twin twin(random, tx.list("l"), changed);
        for (auto operations = random() % 8; operations > 0; --operations) {
            twin.do_something();
        }
        BOOST_TEST(all_of(tx.list("l")) == changed);
        if (fails) {
            throw std::runtime_error("no");
        }
    };
    try {
        co_await db.update(change);
        model = changed;
    } catch (const std::runtime_error&) {
        BOOST_TEST(fails);
    }
}

}  // namespace

// Compares random operations with a deque, and the deque with one built from the messages.
BOOST_FIXTURE_TEST_SUITE(test_list_model, EventLoop)

BOOST_AUTO_TEST_CASE(random_transactions_and_their_messages_equal_a_deque)
{
    const auto seed = std::random_device{}();
    BOOST_TEST_CONTEXT("seed " << seed)
    run([seed]() -> Task {
        std::mt19937 random(seed);
        Lists model;
        Options options = watched_options();
        options.durability = Durability::buffered;
        Database db = co_await open_database(options);
        co_await create(db, "l", Structure::list);
        for (int round = 0; round < 1500; ++round) {
            co_await commit_something(db, random, model);
            const Lists stored = co_await db.view(
                [](const Snapshot& snapshot) { return all_of(snapshot.list("l")); });
            BOOST_TEST_REQUIRE(stored == model);
        }
        Recorder recorder;
        Watcher watcher = db.watch("l", all(), recorder, watch_from(From::revision(1)));
        const Run run = co_await start(watcher);
        co_await watcher.reached(db.head_revision());
        ListReplay replay;
        for (const OwnedMessage& each : recorder.messages()) {
            replay(*each);
        }
        BOOST_TEST(recorder.size() > 1000U);
        BOOST_TEST(replay.lists() == model);
        co_await db.close();
        co_await run.end();
    });
}

BOOST_AUTO_TEST_SUITE_END()
