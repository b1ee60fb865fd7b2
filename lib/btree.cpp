// SPDX-License-Identifier: BSL-1.0
#include <keywatch/btree.hpp>

#include "structures/btree.hpp"
#include "structures/workspace.hpp"

#include <utility>

namespace [[gnu::visibility("default")]] keywatch {

BTreeIterator::BTreeIterator(std::shared_ptr<structures::Workspace> workspace, std::uint32_t bucket)
    : workspace_(std::move(workspace)), iterator_(workspace_->iterate(bucket))
{
}

BTreeIterator::BTreeIterator(BTreeIterator&&) noexcept = default;
BTreeIterator& BTreeIterator::operator=(BTreeIterator&&) noexcept = default;
BTreeIterator::~BTreeIterator() = default;

bool BTreeIterator::valid() const
{
    return iterator_->valid();
}

void BTreeIterator::seek(std::string_view key)
{
    iterator_->seek(key);
}

void BTreeIterator::seek_before(std::string_view key)
{
    iterator_->seek_before(key);
}

void BTreeIterator::first()
{
    iterator_->first();
}

void BTreeIterator::last()
{
    iterator_->last();
}

void BTreeIterator::next()
{
    iterator_->next();
}

void BTreeIterator::previous()
{
    iterator_->previous();
}

std::string_view BTreeIterator::key() const
{
    return iterator_->key();
}

std::string_view BTreeIterator::value() const
{
    return structures::btree::user_value(iterator_->value());
}

BTreeRange::BTreeRange(BTreeIterator iterator, std::string first, std::optional<std::string> last,
                       Scan scan)
    : iterator_(std::move(iterator)), first_(std::move(first)), last_(std::move(last)), scan_(scan)
{
}

void BTreeRange::start()
{
    taken_ = 0;
    if (!scan_.reverse) {
        iterator_.seek(first_);
    } else if (last_) {
        iterator_.seek_before(*last_);
    } else {
        iterator_.last();
    }
}

void BTreeRange::advance()
{
    ++taken_;
    if (scan_.reverse) {
        iterator_.previous();
    } else {
        iterator_.next();
    }
}

bool BTreeRange::done() const
{
    if (taken_ >= scan_.limit || !iterator_.valid()) {
        return true;
    }
    return scan_.reverse ? iterator_.key() < first_ : last_ && iterator_.key() >= *last_;
}

BTreeRange::Entry BTreeRange::current() const
{
    return {iterator_.key(), iterator_.value()};
}

std::vector<std::pair<std::string, std::string>> BTreeRange::to_vector()
{
    std::vector<std::pair<std::string, std::string>> entries;
    for (const auto [key, value] : *this) {
        entries.emplace_back(key, value);
    }
    return entries;
}

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

BTreeRange BTreeView::range(std::string_view first, std::string_view last, Scan scan) const
{
    return {iterator(), std::string(first), std::string(last), scan};
}

BTreeRange BTreeView::prefix(std::string_view prefix, Scan scan) const
{
    return {iterator(), std::string(prefix), structures::prefix_end(prefix), scan};
}

BTreeRange BTreeView::scan(Scan scan) const
{
    return {iterator(), {}, std::nullopt, scan};
}

BTreeIterator BTreeView::iterator() const
{
    return {workspace_, bucket_};
}

void BTree::put(std::string_view key, std::string_view value)
{
    structures::btree::put(*workspace_, bucket_, key, value);
}

bool BTree::erase(std::string_view key)
{
    return structures::btree::erase(*workspace_, bucket_, key);
}

}  // namespace keywatch
