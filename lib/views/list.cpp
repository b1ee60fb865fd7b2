// SPDX-License-Identifier: BSL-1.0
#include <keywatch/list.hpp>

#include "structures/collection.hpp"
#include "structures/list/list.hpp"

namespace [[gnu::visibility("default")]] keywatch {

namespace collection = structures::collection;
namespace list = structures::list;

std::uint64_t ListView::size(std::string_view key) const
{
    return collection::size(*workspace_, bucket_, key);
}

bool ListView::has_key(std::string_view key) const
{
    return size(key) != 0;
}

std::optional<std::string> ListView::at(std::string_view key, std::int64_t index) const
{
    return list::at(*workspace_, bucket_, key, index);
}

Range<std::string_view> ListView::range(std::string_view key, std::int64_t first,
                                        std::int64_t last) const
{
    return list::range(workspace_, bucket_, key, first, last);
}

Range<std::string_view> ListView::keys(std::string_view pattern) const
{
    return collection::keys(workspace_, bucket_, pattern);
}

std::optional<std::chrono::milliseconds> ListView::ttl(std::string_view key) const
{
    return collection::ttl(*workspace_, bucket_, key);
}

std::uint64_t List::push_front_all(std::string_view key, std::span<const std::string_view> values)
{
    return list::push_front(*workspace_, bucket_, key, values);
}

std::uint64_t List::push_back_all(std::string_view key, std::span<const std::string_view> values)
{
    return list::push_back(*workspace_, bucket_, key, values);
}

std::optional<std::string> List::pop_front(std::string_view key)
{
    return list::pop_front(*workspace_, bucket_, key);
}

std::optional<std::string> List::pop_back(std::string_view key)
{
    return list::pop_back(*workspace_, bucket_, key);
}

void List::set(std::string_view key, std::int64_t index, std::string_view value)
{
    list::set(*workspace_, bucket_, key, index, value);
}

std::uint64_t List::insert(std::string_view key, std::int64_t index, std::string_view value)
{
    return list::insert(*workspace_, bucket_, key, index, value);
}

std::uint64_t List::remove(std::string_view key, std::string_view value, std::int64_t count)
{
    return list::remove(*workspace_, bucket_, key, value, count);
}

std::uint64_t List::remove_at(std::string_view key, std::span<const std::int64_t> indexes)
{
    return list::remove_at(*workspace_, bucket_, key, indexes);
}

std::uint64_t List::trim(std::string_view key, std::int64_t first, std::int64_t last)
{
    return list::trim(*workspace_, bucket_, key, first, last);
}

bool List::erase(std::string_view key)
{
    return collection::erase(*workspace_, bucket_, key);
}

bool List::set_ttl(std::string_view key, std::chrono::milliseconds ttl)
{
    return collection::set_ttl(*workspace_, bucket_, key, ttl);
}

bool List::clear_ttl(std::string_view key)
{
    return collection::clear_ttl(*workspace_, bucket_, key);
}

}  // namespace keywatch
