// SPDX-License-Identifier: BSL-1.0
#include <keywatch/set.hpp>

#include "structures/collection.hpp"

namespace [[gnu::visibility("default")]] keywatch {

namespace collection = structures::collection;

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
