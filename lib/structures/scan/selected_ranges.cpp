// SPDX-License-Identifier: BSL-1.0
#include "selected_ranges.hpp"

#include "bytes/glob.hpp"
#include "bytes/prefix_end.hpp"

#include <algorithm>
#include <utility>

namespace keywatch::structures {

namespace {

KeyInterval beginning_with(const std::string& prefix)
{
    return {prefix, bytes::prefix_end(prefix)};
}

KeyInterval interval_of(const Selector& selector)
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

/// Returns true if there is no gap between an interval and the next one, which does not begin
/// before it.
bool meets(const KeyInterval& interval, const KeyInterval& next)
{
    return !interval.end || next.first <= *interval.end;
}

std::vector<KeyInterval> merged(std::vector<KeyInterval> intervals)
{
    std::ranges::sort(intervals, {}, &KeyInterval::first);
    std::vector<KeyInterval> merged;
    for (KeyInterval& each : intervals) {
        if (merged.empty() || !meets(merged.back(), each)) {
            merged.push_back(std::move(each));
        } else if (merged.back().end && (!each.end || *each.end > *merged.back().end)) {
            merged.back().end = std::move(each.end);
        }
    }
    return merged;
}

}  // namespace

SelectedRanges selected_ranges(const Selectors& selectors, std::string_view bucket)
{
    SelectedRanges selected;
    for (const BucketSelector& each : selectors.list()) {
        if (each.is_whole_database() || each.bucket() == bucket) {
            selected.whole = selected.whole || each.selector().kind() == Selector::Kind::all;
            selected.intervals.push_back(interval_of(each.selector()));
        }
    }
    selected.intervals = merged(std::move(selected.intervals));
    return selected;
}

std::optional<std::vector<std::string>> selected_buckets(const Selectors& selectors)
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
