// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <regex>
#include <stdexcept>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::string_literals;

namespace {

using Strings = std::vector<std::string>;
using Entries = std::vector<std::pair<std::string, std::string>>;
using Value = std::optional<std::string>;

const Strings all_keys{"\0"s,  "\0\xff"s, "k"s,   "k\n"s, "k\0"s,  "k1"s,
                       "k12"s, "k2"s,     "k22"s, "l"s,   "\xff"s, "\xff\xff"s};
const Strings all_values{""s, "0"s, "-7"s, "41"s, "07"s, "text"s, "\0"s, "\x80\xff"s};

/// The expected contents of a bucket, and its expected messages.
struct Model {
    std::map<std::string, std::string> entries;
    Strings messages;

    Value get(const std::string& key) const
    {
        const auto at = entries.find(key);
        return at == entries.end() ? std::nullopt : Value(at->second);
    }
    void put(const std::string& key, const std::string& value)
    {
        entries[key] = value;
        messages.push_back("put " + key + '=' + value);
    }
    bool erase(const std::string& key)
    {
        const bool there = entries.erase(key) == 1;
        if (there) {
            messages.push_back("erase " + key + '=');
        }
        return there;
    }
    /// Returns the value as a number. Absent keys count as 0; nothing if the value is not a number
    /// of 64 bits.
    std::optional<std::int64_t> number(const std::string& key) const
    {
        static const std::regex decimal("0|-?[1-9][0-9]*");
        const std::string text = get(key).value_or("0");
        try {
            return std::regex_match(text, decimal) ? std::optional<std::int64_t>(std::stoll(text))
                                                   : std::nullopt;
        } catch (const std::out_of_range&) {
            return std::nullopt;
        }
    }
};

class Walk {
public:
    explicit Walk(std::uint32_t seed) : random_(seed) {}

    std::size_t below(std::size_t end) { return random_() % end; }
    const std::string& key() { return all_keys[below(all_keys.size())]; }
    const std::string& value() { return all_values[below(all_values.size())]; }

    /// Makes one change to both. Returns true if the results agree.
    bool change(BTree& tree, Model& model);
    /// Makes one scan of both. Returns true if the results agree.
    bool scan(const BTreeView& tree, const Model& model);

private:
    bool count(BTree& tree, Model& model);
    bool append(BTree& tree, Model& model);
    bool set_bit(BTree& tree, Model& model);
    bool put_if(BTree& tree, Model& model, bool there);
    bool read(const BTreeView& tree, const Model& model);

    std::mt19937 random_;
};

bool Walk::change(BTree& tree, Model& model)
{
    const std::string key = this->key();
    const std::string value = this->value();
    switch (below(10)) {
    case 0:
        tree.put(key, value);
        model.put(key, value);
        return true;
    case 1:
    case 2:
        return tree.erase(key) == model.erase(key);
    case 3:
        return put_if(tree, model, false);
    case 4:
        return put_if(tree, model, true);
    case 5: {
        const Value expected = model.get(key);
        model.put(key, value);
        return tree.exchange(key, value) == expected;
    }
    case 6:
        return count(tree, model);
    case 7:
        return append(tree, model);
    case 8:
        return set_bit(tree, model);
    default:
        return read(tree, model);
    }
}

bool Walk::put_if(BTree& tree, Model& model, bool there)
{
    const std::string key = this->key();
    const std::string value = this->value();
    const bool expected = model.get(key).has_value() == there;
    if (expected) {
        model.put(key, value);
    }
    return (there ? tree.put_if_present(key, value) : tree.put_if_absent(key, value)) == expected;
}

bool Walk::count(BTree& tree, Model& model)
{
    const std::string key = this->key();
    const auto by = static_cast<std::int64_t>(below(5)) - 2;
    const bool up = below(2) == 0;
    const std::optional<std::int64_t> before = model.number(key);
    std::int64_t given = 0;
    const auto error =
        failure_of([&] { given = up ? tree.increment(key, by) : tree.decrement(key, by); });
    if (!before) {
        return error == code(Error::not_a_number);
    }
    const std::int64_t after = up ? *before + by : *before - by;
    if (by != 0 || !model.get(key)) {
        model.put(key, std::to_string(after));
    }
    return !error && given == after;
}

bool Walk::append(BTree& tree, Model& model)
{
    const std::string key = this->key();
    const std::string suffix = value();
    const std::string after = model.get(key).value_or("") + suffix;
    if (!suffix.empty()) {
        model.put(key, after);
    }
    return tree.append(key, suffix) == after.size();
}

bool Walk::set_bit(BTree& tree, Model& model)
{
    const std::string key = this->key();
    const std::size_t offset = below(40);
    const bool bit = below(2) == 0;
    std::string value = model.get(key).value_or("");
    const std::size_t length = value.size();
    value.resize(std::max(length, offset / 8 + 1));
    const int mask = 128 >> (offset % 8);
    const bool previous = (value[offset / 8] & mask) != 0;
    if (previous != bit) {
        value[offset / 8] = static_cast<char>(value[offset / 8] ^ mask);
        model.put(key, value);
    }
    return tree.set_bit(key, offset, bit) == previous && tree.get_bit(key, offset) == bit;
}

bool Walk::read(const BTreeView& tree, const Model& model)
{
    const std::string key = this->key();
    const std::string other = this->key();
    const Value value = model.get(key);
    const std::size_t offset = below(4);
    const bool none = model.entries.empty();
    const Value part = value && offset < value->size() ? value->substr(offset, 2) : Value("");
    return tree.get(key) == value && tree.contains(key) == value.has_value() &&
           tree.get_many({key, other, key}) == std::vector<Value>{value, model.get(other), value} &&
           tree.value_length(key) == (value ? std::optional(value->size()) : std::nullopt) &&
           tree.substring(key, offset, 2) == (value ? part : std::nullopt) &&
           tree.first_key() == (none ? std::nullopt : Value(model.entries.begin()->first)) &&
           tree.last_key() == (none ? std::nullopt : Value(model.entries.rbegin()->first));
}

/// A pattern and its meaning.
struct Filter {
    const char* pattern;
    bool (*selects)(const std::string&);
};

const Filter filters[] = {
    {"", [](const std::string&) { return true; }},
    {"^k", [](const std::string& key) { return key.starts_with('k'); }},
    {"2$", [](const std::string& key) { return key.ends_with('2'); }},
    {"^..$", [](const std::string& key) { return key.size() == 2; }},
    {"\\x00", [](const std::string& key) { return key.find('\0') != key.npos; }},
    {"[^\\x80-\\xff]", [](const std::string& key) { return !key.starts_with('\xff'); }},
};

bool Walk::scan(const BTreeView& tree, const Model& model)
{
    const std::string first = below(3) == 0 ? "" : key();
    const std::string last = key();
    const std::size_t kind = below(3);
    const Filter* filter = below(2) == 0 ? nullptr : &filters[below(std::size(filters))];
    Scan scan;
    scan.offset = below(2) == 0 ? 0 : below(6);
    scan.limit = below(2) == 0 ? SIZE_MAX : below(6);
    scan.reverse = below(2) == 0;
    if (filter) {
        scan.pattern = KeyPattern(filter->pattern);
    }
    Entries expected;
    for (const auto& entry : model.entries) {
        const bool inside = kind == 0   ? entry.first >= first && entry.first < last
                            : kind == 1 ? entry.first.starts_with(first)
                                        : true;
        if (inside && (!filter || filter->selects(entry.first))) {
            expected.push_back(entry);
        }
    }
    if (scan.reverse) {
        std::ranges::reverse(expected);
    }
    expected.erase(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                            scan.offset, expected.size())));
    expected.resize(std::min(scan.limit, expected.size()));
    BTreeRange range = kind == 0   ? tree.range(first, last, scan)
                       : kind == 1 ? tree.prefix(first, scan)
                                   : tree.scan(scan);
    return range.to_vector() == expected;
}

}  // namespace

// Compares random operations of a BTree bucket with a map: their results, what a transaction and a
// view see afterwards, and the messages that a watcher receives.
BOOST_FIXTURE_TEST_SUITE(test_btree_model, EventLoop)

BOOST_AUTO_TEST_CASE(random_operations_agree_with_a_map)
{
    const std::uint32_t seed = std::random_device()();
    BOOST_TEST_MESSAGE("seed " << seed);
    run([&]() -> Task {
        Database db = co_await open_with("b");
        Walk walk(seed);
        Model model;
        for (int i = 0; i < 200; ++i) {
            Model changed = model;
            const bool fails = walk.below(4) == 0;
            const auto transaction = [&](Transaction& tx) {
                BTree tree = tx.btree("b");
                for (std::size_t left = walk.below(20); left > 0; --left) {
                    BOOST_TEST(walk.change(tree, changed), "seed " << seed);
                    BOOST_TEST(walk.scan(tree, changed), "seed " << seed);
                }
                if (fails) {
                    throw std::out_of_range("on purpose");
                }
            };
            try {
                co_await db.update(transaction);
                model = changed;
            } catch (const std::out_of_range&) {
                BOOST_TEST(fails);
            }
            co_await db.view([&](const Snapshot& snapshot) {
                for (int scans = 0; scans < 5; ++scans) {
                    BOOST_TEST(walk.scan(snapshot.btree("b"), model), "seed " << seed);
                }
            });
        }
        Strings lines = co_await history_of(db, "b", all(), From::revision(2));
        for (std::string& line : lines) {
            line.erase(0, line.find(' ') + 1);
        }
        BOOST_TEST((lines == model.messages), "seed " << seed);
        BOOST_TEST(model.messages.size() > 100U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
