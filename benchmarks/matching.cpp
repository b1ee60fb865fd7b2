// SPDX-License-Identifier: BSL-1.0
/// Measures the search for the watchers that a message matches, among many watchers of one bucket
/// of which few match: by key, prefix and range, distinct and nested ones; leaving the index and
/// entering it again; and, as when history is read, deciding for one watcher of as many keys.
/// Floor: looking up the key in a hash map of as many keys; removing a key and inserting it.
#include "support.hpp"

#include "watch/index/selector_index.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <functional>

namespace {

using namespace bench;
namespace watch = kw::watch;

constexpr std::size_t rounds = 20'000;

using Map = boost::unordered_flat_map<std::string, std::size_t, watch::BytesHash, std::equal_to<>>;
using MakeSelector = std::function<kw::Selector(std::size_t)>;

std::string numbered(std::size_t number)
{
    std::string digits = std::to_string(number);
    digits.insert(0, digits.size() < 8 ? 8 - digits.size() : 0, '0');
    return "key" + digits;
}

// Distinct selectors: each key matches exactly one.
kw::Selector by_key(std::size_t i)
{
    return kw::key(numbered(i));
}
kw::Selector by_prefix(std::size_t i)
{
    return kw::prefix(numbered(i));
}
kw::Selector by_range(std::size_t i)
{
    return kw::range(numbered(i), numbered(i + 1));
}
// Nested selectors: chains of a hundred prefixes, and ranges around the middle. Each key that is
// looked up matches ten of either kind.
kw::Selector by_nested_prefix(std::size_t i)
{
    const std::string chain = numbered(i / 100);
    return kw::prefix(chain + std::string(i % 100, 'x'));
}
kw::Selector by_nested_range(std::size_t i)
{
    return kw::range(numbered(i * 10), numbered(90'000'000 - i * 10));
}

/// An index with many watchers, and a hash map with as many keys.
class Crowd {
public:
    Crowd(std::size_t count, const MakeSelector& make)
    {
        for (std::size_t i = 0; i < count; ++i) {
            map_.emplace(numbered(i), i);
            members_.push_back(std::make_shared<watch::Subscription>(
                kw::in("b", make(i)), kw::Filter(), watch::Budget{1, 1}));
            index_.add(members_.back());
        }
    }

    /// Looks up keys in the hash map, `rounds` times in total.
    void look_up(const std::vector<std::string>& keys)
    {
        std::size_t found = 0;
        for (std::size_t i = 0; i < rounds; ++i) {
            const auto at = map_.find(keys[i % keys.size()]);
            found += at == map_.end() ? 0 : at->second;
        }
        benchmark::DoNotOptimize(found);
    }
    /// Finds the watchers that match the keys, `rounds` times in total.
    void match(const std::vector<std::string>& keys)
    {
        std::size_t found = 0;
        for (std::size_t i = 0; i < rounds; ++i) {
            index_.find("b")->match(keys[i % keys.size()], [&](const watch::Reference& each) {
                found += each.at + 1;  // each watcher has one interest, at 0
            });
        }
        found_ = found;
    }
    double found_by_one() const { return static_cast<double>(found_) / rounds; }

    void insert_and_erase()
    {
        for (std::size_t i = 0; i < rounds; ++i) {
            const std::string key = numbered(i * 7'919 % map_.size());
            map_.erase(key);
            map_.emplace(key, i);
        }
    }
    void leave_and_join()
    {
        for (std::size_t i = 0; i < rounds; ++i) {
            const watch::SharedSubscription& one = members_[i * 7'919 % members_.size()];
            index_.remove(*one);
            index_.add(one);
        }
    }

private:
    Map map_;
    watch::SelectorIndex index_;
    std::vector<watch::SharedSubscription> members_;
    std::size_t found_ = 0;
};

void match_one(benchmark::State& state, const MakeSelector& make,
               const std::vector<std::string>& keys)
{
    Crowd crowd(static_cast<std::size_t>(state.range(0)), make);
    for (auto _ : state) {
        compare_pairs(state, 9, rounds, [&] { crowd.look_up(keys); }, [&] { crowd.match(keys); });
    }
    state.counters["matches"] = crowd.found_by_one();
}

void join_and_leave(benchmark::State& state, const MakeSelector& make)
{
    Crowd crowd(static_cast<std::size_t>(state.range(0)), make);
    for (auto _ : state) {
        compare_pairs(
            state, 9, rounds, [&] { crowd.insert_and_erase(); }, [&] { crowd.leave_and_join(); });
    }
}

/// Returns a thousand keys, spread over all keys of a crowd.
std::vector<std::string> keys_of(benchmark::State& state, std::size_t of_each = 1)
{
    const auto count = static_cast<std::size_t>(state.range(0)) / of_each;
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < 1'000; ++i) {
        keys.push_back(numbered(i * 7'919 % std::max<std::size_t>(count, 1)));
    }
    return keys;
}

void match_keys_of_one(benchmark::State& state)
{
    std::vector<kw::BucketSelector> selectors;
    for (std::size_t i = 0; i < static_cast<std::size_t>(state.range(0)); ++i) {
        selectors.push_back(kw::in("b", by_key(i)));
    }
    const watch::Subscription one(kw::Selectors(std::move(selectors)), kw::Filter(),
                                  watch::Budget{1, 1});
    const std::vector<std::string> keys = keys_of(state);
    Crowd crowd(static_cast<std::size_t>(state.range(0)), by_key);
    kw::Message message;
    message.operation = kw::Operation::put;
    message.bucket = "b";
    const auto match = [&] {
        std::size_t found = 0;
        for (std::size_t i = 0; i < rounds; ++i) {
            message.key = keys[i % keys.size()];
            found += one.matches(message) ? 1 : 0;
        }
        benchmark::DoNotOptimize(found);
    };
    for (auto _ : state) {
        compare_pairs(state, 9, rounds, [&] { crowd.look_up(keys); }, match);
    }
}

void match_keys(benchmark::State& state)
{
    match_one(state, by_key, keys_of(state));
}
void match_prefixes(benchmark::State& state)
{
    match_one(state, by_prefix, keys_of(state));
}
void match_ranges(benchmark::State& state)
{
    match_one(state, by_range, keys_of(state));
}
void match_nested_prefixes(benchmark::State& state)
{
    std::vector<std::string> keys = keys_of(state, 100);
    for (std::string& each : keys) {
        each += "xxxxxxxxx";
    }
    match_one(state, by_nested_prefix, keys);
}
void match_nested_ranges(benchmark::State& state)
{
    match_one(state, by_nested_range, {numbered(95), numbered(91), numbered(99)});
}
void join_keys(benchmark::State& state)
{
    join_and_leave(state, by_key);
}
void join_prefixes(benchmark::State& state)
{
    join_and_leave(state, by_prefix);
}
void join_ranges(benchmark::State& state)
{
    join_and_leave(state, by_range);
}
void join_nested_prefixes(benchmark::State& state)
{
    join_and_leave(state, by_nested_prefix);
}
void join_nested_ranges(benchmark::State& state)
{
    join_and_leave(state, by_nested_range);
}

void growing(benchmark::internal::Benchmark* one)
{
    one->Arg(1)->Arg(1'000)->Arg(100'000)->Iterations(1)->Repetitions(3);
}

BENCHMARK(match_keys)->Apply(growing);
BENCHMARK(match_keys_of_one)->Apply(growing);
BENCHMARK(match_prefixes)->Apply(growing);
BENCHMARK(match_ranges)->Apply(growing);
BENCHMARK(match_nested_prefixes)->Arg(100'000)->Iterations(1)->Repetitions(3);
BENCHMARK(match_nested_ranges)->Arg(100'000)->Iterations(1)->Repetitions(3);
BENCHMARK(join_keys)->Arg(100'000)->Iterations(1)->Repetitions(3);
BENCHMARK(join_prefixes)->Arg(100'000)->Iterations(1)->Repetitions(3);
BENCHMARK(join_ranges)->Arg(100'000)->Iterations(1)->Repetitions(3);
BENCHMARK(join_nested_prefixes)->Arg(100'000)->Iterations(1)->Repetitions(3);
BENCHMARK(join_nested_ranges)->Arg(100'000)->Iterations(1)->Repetitions(3);

}  // namespace

BENCHMARK_MAIN();
