// SPDX-License-Identifier: BSL-1.0
#include <keywatch/btree_range.hpp>

#include "structures/btree/btree.hpp"
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
    structures::btree::pass_expired(*workspace_, *iterator_, true);
}

void BTreeIterator::seek_before(std::string_view key)
{
    iterator_->seek_before(key);
    structures::btree::pass_expired(*workspace_, *iterator_, false);
}

void BTreeIterator::first()
{
    iterator_->first();
    structures::btree::pass_expired(*workspace_, *iterator_, true);
}

void BTreeIterator::last()
{
    iterator_->last();
    structures::btree::pass_expired(*workspace_, *iterator_, false);
}

void BTreeIterator::next()
{
    iterator_->next();
    structures::btree::pass_expired(*workspace_, *iterator_, true);
}

void BTreeIterator::previous()
{
    iterator_->previous();
    structures::btree::pass_expired(*workspace_, *iterator_, false);
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
    : iterator_(std::move(iterator)),
      first_(std::move(first)),
      last_(std::move(last)),
      scan_(std::move(scan))
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
    if (scan_.limit == 0) {
        return;  // nothing is searched
    }
    pass_unselected();
    for (std::size_t left = scan_.offset; left > 0 && !at_end(); --left) {
        step();
        pass_unselected();
    }
}

void BTreeRange::advance()
{
    ++taken_;
    step();
    if (taken_ < scan_.limit) {
        pass_unselected();
    }
}

bool BTreeRange::done() const
{
    return taken_ >= scan_.limit || at_end();
}

void BTreeRange::step()
{
    if (scan_.reverse) {
        iterator_.previous();
    } else {
        iterator_.next();
    }
}

void BTreeRange::pass_unselected()
{
    if (scan_.pattern) {
        while (!at_end() && !scan_.pattern->matches(iterator_.key())) {
            step();
        }
    }
}

bool BTreeRange::at_end() const
{
    if (!iterator_.valid()) {
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

std::vector<std::string> BTreeRange::keys()
{
    std::vector<std::string> keys;
    for (const auto [key, value] : *this) {
        keys.emplace_back(key);
    }
    return keys;
}

std::vector<std::string> BTreeRange::values()
{
    std::vector<std::string> values;
    for (const auto [key, value] : *this) {
        values.emplace_back(value);
    }
    return values;
}

}  // namespace keywatch
