// SPDX-License-Identifier: BSL-1.0
/// Measures how `Overflow::latest` reduces 100,000 commits of one put each to the newest of each
/// key, in the order of revisions.
/// Floor: a hash map from the key to the newest commit, without an order.
#include "support.hpp"

#include "watch/coalescer.hpp"
#include "watch/index/selector_index.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <functional>
#include <string_view>

namespace {

using namespace bench;
namespace watch = kw::watch;

constexpr std::size_t commits = 100'000;

watch::SharedCommit put_of(kw::Revision revision, const std::string& key)
{
    auto commit = std::make_shared<kw::CommitRecord>();
    commit->revision = revision;
    commit->previous = revision - 1;
    commit->bytes = "b" + key + random_bytes(100);
    const std::string_view bytes = commit->bytes;
    kw::Message message;
    message.revision = revision;
    message.bucket = bytes.substr(0, 1);
    message.key = bytes.substr(1, key.size());
    message.value = bytes.substr(1 + key.size());
    commit->messages.push_back(message);
    return commit;
}

std::vector<watch::SharedCommit> puts_of(unsigned keys)
{
    std::vector<watch::SharedCommit> puts;
    for (unsigned i = 0; i < commits; ++i) {
        puts.push_back(put_of(i + 1, numbered_key(i * 7'919 % keys)));
    }
    return puts;
}

void upsert(const std::vector<watch::SharedCommit>& puts)
{
    boost::unordered_flat_map<std::string, watch::SharedCommit, watch::BytesHash, std::equal_to<>>
        newest;
    for (const watch::SharedCommit& each : puts) {
        const std::string_view key = each->messages.front().key;
        const auto known = newest.find(key);
        if (known == newest.end()) {
            newest.emplace(key, each);
        } else {
            known->second = each;
        }
    }
    std::vector<watch::SharedCommit> left;
    left.reserve(newest.size());
    for (auto& each : newest) {
        left.push_back(std::move(each.second));
    }
    benchmark::DoNotOptimize(left);
}

void coalesce(const std::vector<watch::SharedCommit>& puts)
{
    watch::Coalescer newest;
    for (const watch::SharedCommit& each : puts) {
        newest.add({each, {}});
    }
    const std::vector<watch::Entry> left = newest.take();
    benchmark::DoNotOptimize(left);
}

void coalescing(benchmark::State& state)
{
    const auto puts = puts_of(static_cast<unsigned>(state.range(0)));
    for (auto _ : state) {
        compare_pairs(state, 9, commits, [&] { upsert(puts); }, [&] { coalesce(puts); });
    }
}

BENCHMARK(coalescing)->Arg(100)->Arg(10'000)->Arg(100'000)->Iterations(1)->Repetitions(3);

}  // namespace

BENCHMARK_MAIN();
