// SPDX-License-Identifier: BSL-1.0
#include "wanted_keys.hpp"

#include "bytes/glob.hpp"
#include "bytes/prefix_end.hpp"

#include <algorithm>
#include <utility>

namespace keywatch::structures {

namespace {

KeyStretch beginning_with(const std::string& prefix)
{
    return {prefix, bytes::prefix_end(prefix)};
}

KeyStretch stretch_of(const Selector& selector)
{
    const std::string& key = selector.key();
    switch (selector.kind()) {
    case Selector::Kind::key:
        return {key, key + '\0'};
    case Selector::Kind::prefix:
        return beginning_with(key);
    case Selector::Kind::range:
        return {key, selector.end().empty() ? std::nullopt : std::optional(selector.end())};
    case Selector::Kind::glob:
        return beginning_with(bytes::Glob(key).literal_prefix());
    case Selector::Kind::all:
        break;
    }
    return {};
}

/// Returns true if there is no gap between a stretch and the next one, which does not begin before
/// it.
bool meets(const KeyStretch& stretch, const KeyStretch& next)
{
    return !stretch.end || next.first <= *stretch.end;
}

std::vector<KeyStretch> merged(std::vector<KeyStretch> stretches)
{
    std::ranges::sort(stretches, {}, &KeyStretch::first);
    std::vector<KeyStretch> merged;
    for (KeyStretch& each : stretches) {
        if (merged.empty() || !meets(merged.back(), each)) {
            merged.push_back(std::move(each));
        } else if (merged.back().end && (!each.end || *each.end > *merged.back().end)) {
            merged.back().end = std::move(each.end);
        }
    }
    return merged;
}

}  // namespace

WantedKeys wanted_keys(const Selectors& selectors, std::string_view bucket)
{
    WantedKeys wanted;
    for (const BucketSelector& each : selectors.list()) {
        if (each.is_whole_database() || each.bucket() == bucket) {
            wanted.whole = wanted.whole || each.selector().kind() == Selector::Kind::all;
            wanted.stretches.push_back(stretch_of(each.selector()));
        }
    }
    wanted.stretches = merged(std::move(wanted.stretches));
    return wanted;
}

std::optional<std::vector<std::string>> wanted_buckets(const Selectors& selectors)
{
    std::vector<std::string> names;
    for (const BucketSelector& each : selectors.list()) {
        if (each.is_whole_database()) {
            return std::nullopt;
        }
        names.push_back(each.bucket());
    }
    std::ranges::sort(names);
    const auto rest = std::ranges::unique(names);
    names.erase(rest.begin(), rest.end());
    return names;
}

}  // namespace keywatch::structures
