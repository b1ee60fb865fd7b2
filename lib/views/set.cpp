// SPDX-License-Identifier: BSL-1.0
#include <keywatch/set.hpp>

#include "structures/collection.hpp"
#include "structures/set/set.hpp"
#include "structures/set/set_ranges.hpp"

namespace [[gnu::visibility("default")]] keywatch {

namespace collection = structures::collection;
namespace sets = structures::set;

namespace {

std::vector<std::string_view> views_of(const std::vector<std::string>& members)
{
    return {members.begin(), members.end()};
}

}  // namespace

std::uint64_t SetView::size(std::string_view key) const
{
    return collection::size(*workspace_, bucket_, key);
}

bool SetView::has_key(std::string_view key) const
{
    return size(key) != 0;
}

Range<std::string_view> SetView::keys(std::string_view pattern) const
{
    return collection::keys(workspace_, bucket_, pattern);
}

std::optional<std::chrono::milliseconds> SetView::ttl(std::string_view key) const
{
    return collection::ttl(*workspace_, bucket_, key);
}

bool SetView::contains(std::string_view key, std::string_view member) const
{
    return sets::contains(*workspace_, bucket_, key, member);
}

std::vector<bool> SetView::look_up(std::string_view key,
                                   const std::vector<std::string>& members) const
{
    return sets::contains_many(*workspace_, bucket_, key, views_of(members));
}

Range<std::string_view> SetView::members(std::string_view key, std::string_view prefix) const
{
    return sets::members({workspace_, bucket_, key}, prefix);
}

Range<std::string_view> SetView::unite(std::string_view key, std::string_view other_key) const
{
    return unite(key, *this, other_key);
}

Range<std::string_view> SetView::unite(std::string_view key, const SetView& other,
                                       std::string_view other_key) const
{
    return sets::unite({workspace_, bucket_, key}, {other.workspace_, other.bucket_, other_key});
}

Range<std::string_view> SetView::intersection(std::string_view key,
                                              std::string_view other_key) const
{
    return intersection(key, *this, other_key);
}

Range<std::string_view> SetView::intersection(std::string_view key, const SetView& other,
                                              std::string_view other_key) const
{
    return sets::intersection({workspace_, bucket_, key},
                              {other.workspace_, other.bucket_, other_key});
}

Range<std::string_view> SetView::difference(std::string_view key, std::string_view other_key) const
{
    return difference(key, *this, other_key);
}

Range<std::string_view> SetView::difference(std::string_view key, const SetView& other,
                                            std::string_view other_key) const
{
    return sets::difference({workspace_, bucket_, key},
                            {other.workspace_, other.bucket_, other_key});
}

bool Set::add(std::string_view key, std::string_view member)
{
    return sets::add(*workspace_, bucket_, key, {&member, 1}) == 1;
}

std::uint64_t Set::add_all(std::string_view key, const std::vector<std::string>& members)
{
    return sets::add(*workspace_, bucket_, key, views_of(members));
}

bool Set::remove(std::string_view key, std::string_view member)
{
    return sets::remove(*workspace_, bucket_, key, {&member, 1}) == 1;
}

std::uint64_t Set::remove_all(std::string_view key, const std::vector<std::string>& members)
{
    return sets::remove(*workspace_, bucket_, key, views_of(members));
}

std::optional<std::string> Set::pop(std::string_view key)
{
    return sets::pop(*workspace_, bucket_, key);
}

bool Set::move(std::string_view from_key, std::string_view to_key, std::string_view member)
{
    return move(from_key, *this, to_key, member);
}

bool Set::move(std::string_view key, Set& other, std::string_view other_key,
               std::string_view member)
{
    return sets::move({workspace_, bucket_, key}, {other.workspace_, other.bucket_, other_key},
                      member);
}

bool Set::erase(std::string_view key)
{
    return collection::erase(*workspace_, bucket_, key);
}

bool Set::set_ttl(std::string_view key, std::chrono::milliseconds ttl)
{
    return collection::set_ttl(*workspace_, bucket_, key, ttl);
}

bool Set::clear_ttl(std::string_view key)
{
    return collection::clear_ttl(*workspace_, bucket_, key);
}

}  // namespace keywatch
