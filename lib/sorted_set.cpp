// SPDX-License-Identifier: BSL-1.0
#include <keywatch/sorted_set.hpp>

#include "structures/collection.hpp"

namespace [[gnu::visibility("default")]] keywatch {

namespace collection = structures::collection;

std::uint64_t SortedSetView::size(std::string_view key) const
{
    return collection::size(*workspace_, bucket_, key);
}

bool SortedSetView::has_key(std::string_view key) const
{
    return size(key) != 0;
}

Range<std::string_view> SortedSetView::keys(std::string_view pattern) const
{
    return collection::keys(workspace_, bucket_, pattern);
}

std::optional<std::chrono::milliseconds> SortedSetView::ttl(std::string_view key) const
{
    return collection::ttl(*workspace_, bucket_, key);
}

bool SortedSet::erase(std::string_view key)
{
    return collection::erase(*workspace_, bucket_, key);
}

bool SortedSet::set_ttl(std::string_view key, std::chrono::milliseconds ttl)
{
    return collection::set_ttl(*workspace_, bucket_, key, ttl);
}

bool SortedSet::clear_ttl(std::string_view key)
{
    return collection::clear_ttl(*workspace_, bucket_, key);
}

}  // namespace keywatch
