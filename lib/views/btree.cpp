// SPDX-License-Identifier: BSL-1.0
#include <keywatch/btree.hpp>

#include "bytes/prefix_end.hpp"
#include "structures/btree/btree.hpp"
#include "structures/workspace.hpp"

#include <utility>

namespace [[gnu::visibility("default")]] keywatch {

BTreeView::BTreeView(std::shared_ptr<structures::Workspace> workspace, std::uint32_t bucket)
    : workspace_(std::move(workspace)), bucket_(bucket)
{
}

std::optional<std::string> BTreeView::get(std::string_view key) const
{
    return structures::btree::get(*workspace_, bucket_, key);
}

bool BTreeView::contains(std::string_view key) const
{
    return structures::btree::contains(*workspace_, bucket_, key);
}

std::optional<std::size_t> BTreeView::value_length(std::string_view key) const
{
    const std::optional<std::string> value = get(key);
    return value ? std::optional(value->size()) : std::nullopt;
}

std::optional<std::string> BTreeView::substring(std::string_view key, std::size_t offset,
                                                std::size_t length) const
{
    return structures::btree::substring(*workspace_, bucket_, key, offset, length);
}

bool BTreeView::get_bit(std::string_view key, std::uint64_t offset) const
{
    return structures::btree::get_bit(*workspace_, bucket_, key, offset);
}

std::optional<std::string> BTreeView::first_key() const
{
    return structures::btree::first_key(*workspace_, bucket_);
}

std::optional<std::string> BTreeView::last_key() const
{
    return structures::btree::last_key(*workspace_, bucket_);
}

std::optional<std::chrono::milliseconds> BTreeView::ttl(std::string_view key) const
{
    return structures::btree::ttl(*workspace_, bucket_, key);
}

BTreeRange BTreeView::range(std::string_view first, std::string_view last, Scan scan) const
{
    return {iterator(), std::string(first), std::string(last), std::move(scan)};
}

BTreeRange BTreeView::prefix(std::string_view prefix, Scan scan) const
{
    return {iterator(), std::string(prefix), bytes::prefix_end(prefix), std::move(scan)};
}

BTreeRange BTreeView::scan(Scan scan) const
{
    return {iterator(), {}, std::nullopt, std::move(scan)};
}

BTreeIterator BTreeView::iterator() const
{
    return {workspace_, bucket_};
}

void BTree::put(std::string_view key, std::string_view value)
{
    structures::btree::put(*workspace_, bucket_, key, value);
}

void BTree::put(std::string_view key, std::string_view value, std::chrono::milliseconds ttl)
{
    structures::btree::put(*workspace_, bucket_, key, value, ttl);
}

bool BTree::put_if_absent(std::string_view key, std::string_view value)
{
    return structures::btree::put_if_absent(*workspace_, bucket_, key, value);
}

bool BTree::put_if_absent(std::string_view key, std::string_view value,
                          std::chrono::milliseconds ttl)
{
    return structures::btree::put_if_absent(*workspace_, bucket_, key, value, ttl);
}

bool BTree::put_if_present(std::string_view key, std::string_view value)
{
    return structures::btree::put_if_present(*workspace_, bucket_, key, value);
}

std::optional<std::string> BTree::exchange(std::string_view key, std::string_view value)
{
    return structures::btree::exchange(*workspace_, bucket_, key, value);
}

std::int64_t BTree::increment(std::string_view key, std::int64_t by)
{
    return structures::btree::increment(*workspace_, bucket_, key, by);
}

std::int64_t BTree::decrement(std::string_view key, std::int64_t by)
{
    return structures::btree::decrement(*workspace_, bucket_, key, by);
}

std::size_t BTree::append(std::string_view key, std::string_view suffix)
{
    return structures::btree::append(*workspace_, bucket_, key, suffix);
}

bool BTree::set_bit(std::string_view key, std::uint64_t offset, bool bit)
{
    return structures::btree::set_bit(*workspace_, bucket_, key, offset, bit);
}

bool BTree::erase(std::string_view key)
{
    return structures::btree::erase(*workspace_, bucket_, key);
}

bool BTree::set_ttl(std::string_view key, std::chrono::milliseconds ttl)
{
    return structures::btree::set_ttl(*workspace_, bucket_, key, ttl);
}

bool BTree::clear_ttl(std::string_view key)
{
    return structures::btree::clear_ttl(*workspace_, bucket_, key);
}

}  // namespace keywatch
