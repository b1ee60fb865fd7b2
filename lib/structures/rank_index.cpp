// SPDX-License-Identifier: BSL-1.0
#include "rank_index.hpp"

#include "bytes/hash.hpp"
#include "bytes/numbers.hpp"

#include <keywatch/error.hpp>

#include <algorithm>
#include <bit>

namespace keywatch::structures::sorted_set {

namespace {

constexpr int bits_per_level = 6;

/// The highest level on which the member is a node; 0: on none.
std::size_t height_of(std::string_view place)
{
    const int zeros = std::countr_zero(bytes::stable_hash(member_at(place)));
    const auto height = static_cast<std::size_t>(zeros / bits_per_level);
    return std::min(height, levels.size() - 1);
}

[[noreturn]] void fail_damaged()
{
    throw boost::system::system_error(make_error_code(Error::damaged),
                                      "the rank index of a sorted set");
}

/// How many entries the element stands for that is walked over on this level.
std::uint64_t count_here(const Elements& elements, std::size_t level)
{
    if (level == 0) {
        return 1;
    }
    const std::string_view stored = elements.value();
    if (stored.size() != sizeof(std::uint64_t)) {
        fail_damaged();
    }
    return bytes::load_fixed<std::uint64_t>(stored.data());
}

/// The first place behind that one.
std::string behind(std::string_view place)
{
    std::string next;
    next.reserve(place.size() + 1);
    next += place;
    next += '\0';
    return next;
}

}  // namespace

struct RankIndex::Node {
    /// None if it is empty.
    std::string place;
    std::uint64_t count = 0;
};

std::uint64_t RankIndex::rank(std::string_view place)
{
    std::uint64_t before = 0;
    std::string from(low_);
    for (std::size_t level = levels.size(); level-- > 0;) {
        std::string last;
        for (elements_.seek(levels[level], from); elements_.valid() && elements_.rest() < place;
             elements_.next()) {
            before += count_here(elements_, level);
            last = elements_.rest();
        }
        if (!last.empty()) {
            from = behind(last);
        }
    }
    return before;
}

void RankIndex::seek(std::uint64_t rank)
{
    std::uint64_t before = 0;
    std::string from(low_);
    for (std::size_t level = levels.size(); --level > 0;) {
        std::string last;
        for (elements_.seek(levels[level], from); elements_.valid(); elements_.next()) {
            const std::uint64_t count = count_here(elements_, level);
            if (before + count > rank) {
                break;
            }
            before += count;
            last = elements_.rest();
        }
        if (!last.empty()) {
            from = behind(last);
        }
    }
    for (elements_.seek(by_place, from); elements_.valid() && before < rank; ++before) {
        elements_.next();
    }
}

void RankIndex::add(Workspace& workspace, std::string_view place)
{
    const std::size_t height = height_of(place);
    for (std::size_t level = 1; level < levels.size(); ++level) {
        if (level <= height) {
            insert(workspace, level, place);
        } else if (const Node next = next_node(level, place); next.count != 0) {
            set(workspace, level, next, next.count + 1);
        }
    }
}

void RankIndex::remove(Workspace& workspace, std::string_view place)
{
    const std::size_t height = height_of(place);
    for (std::size_t level = 1; level < levels.size(); ++level) {
        if (level <= height) {
            erase(workspace, level, place);
        } else if (const Node next = next_node(level, place); next.count != 0) {
            set(workspace, level, next, next.count - 1);
        }
    }
}

void RankIndex::remove_last(Workspace& workspace, std::string_view place)
{
    for (std::size_t level = height_of(place); level > 0; --level) {
        elements_.erase(workspace, levels[level], place);
    }
}

void RankIndex::move(Workspace& workspace, std::string_view from, std::string_view to)
{
    const std::size_t height = height_of(from);
    for (std::size_t level = 1; level < levels.size(); ++level) {
        if (level <= height) {
            erase(workspace, level, from);
            insert(workspace, level, to);
            continue;
        }
        const Node before = next_node(level, from);
        const Node after = next_node(level, to);
        if (before.place == after.place) {
            continue;
        }
        if (before.count != 0) {
            set(workspace, level, before, before.count - 1);
        }
        if (after.count != 0) {
            set(workspace, level, after, after.count + 1);
        }
    }
}

/// The first one at or behind the place.
RankIndex::Node RankIndex::next_node(std::size_t level, std::string_view place)
{
    elements_.seek(levels[level], place);
    if (!elements_.valid()) {
        return {};
    }
    Node node{std::string(elements_.rest()), count_here(elements_, level)};
    if (node.count == 0) {
        fail_damaged();  // it counts itself
    }
    return node;
}

/// Of all that is counted on a level from one place to another one, inclusive.
std::uint64_t RankIndex::count(std::size_t level, std::string_view from, std::string_view last)
{
    std::uint64_t counted = 0;
    for (elements_.seek(levels[level], from); elements_.valid() && elements_.rest() <= last;
         elements_.next()) {
        counted += count_here(elements_, level);
    }
    return counted;
}

/// Where the stretch begins that a new node at this place counts.
std::string RankIndex::behind_node_before(std::size_t level, std::string_view place)
{
    elements_.seek_before(levels[level], place);
    return elements_.valid() ? behind(elements_.rest()) : std::string(low_);
}

/// Splits what the next node counts. The levels below must be right.
void RankIndex::insert(Workspace& workspace, std::size_t level, std::string_view place)
{
    const Node next = next_node(level, place);
    std::uint64_t own = 0;
    if (next.count != 0) {
        const std::uint64_t rest = count(level - 1, behind(place), next.place);
        if (rest > next.count) {
            fail_damaged();
        }
        own = next.count + 1 - rest;
        set(workspace, level, next, rest);
    } else {
        own = count(level - 1, behind_node_before(level, place), place);
    }
    set(workspace, level, {std::string(place), 0}, own);
}

/// The next node counts what this one did.
void RankIndex::erase(Workspace& workspace, std::size_t level, std::string_view place)
{
    const Node node = next_node(level, place);
    if (node.place != place) {
        fail_damaged();
    }
    if (const Node next = next_node(level, behind(place)); next.count != 0) {
        set(workspace, level, next, next.count + node.count - 1);
    }
    elements_.erase(workspace, levels[level], place);
}

void RankIndex::set(Workspace& workspace, std::size_t level, const Node& node, std::uint64_t count)
{
    std::string stored;
    bytes::append_fixed(stored, count);
    elements_.put(workspace, levels[level], node.place, stored);
}

}  // namespace keywatch::structures::sorted_set
