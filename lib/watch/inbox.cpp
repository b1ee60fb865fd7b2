// SPDX-License-Identifier: BSL-1.0
#include "inbox.hpp"

#include "coalescer.hpp"

#include <algorithm>
#include <iterator>

namespace keywatch::watch {

Inbox::Push Inbox::push(Entry entry)
{
    const std::size_t bytes = entry.commit->pinned_bytes();
    std::vector<Entry> dropped;  // destroyed when the mutex is free again
    const std::lock_guard lock(mutex_);
    const bool wake = !std::exchange(awake_, true);
    if (!nothing_up_to_) {
        nothing_up_to_ = entry.commit->previous;
    }
    if (fits(entry.messages(), bytes)) {
        add(std::move(entry), bytes);
    } else if (overflow_ == Overflow::skip) {
        leave_out(entry);
    } else {
        dropped = make_room(std::move(entry));
        if (entries_.empty()) {
            signals_.fell_behind = true;
            signals_.overflowed = true;
            news_ = true;
            return wake ? Push::full_wake : Push::full;
        }
    }
    return wake ? Push::queued_wake : Push::queued;
}

bool Inbox::fits(std::size_t messages, std::size_t bytes)
{
    const bool room = entries_.empty() || budget_.allows(messages_ + messages, bytes_ + bytes);
    return room && (!shared_ || shared_->reserve(bytes));
}

void Inbox::add(Entry entry, std::size_t bytes)
{
    close_gap();
    messages_ += entry.messages();
    bytes_ += bytes;
    entries_.push_back(std::move(entry));
}

void Inbox::leave_out(const Entry& entry)
{
    const CommitRecord& commit = *entry.commit;
    if (!gap_) {
        gap_ = std::make_unique<Marker>();
        gap_->operation = Operation::gap;
        gap_->first_revision = commit.revision;
        gap_->previous = commit.previous;
        gap_->count = 0;
    }
    gap_->revision = commit.revision;
    gap_->time = commit.time;
    *gap_->count += entry.messages();
    for (std::size_t at = 0; entry.loses && at < entry.messages(); ++at) {
        const Message& message = commit.messages[entry.selected.empty() ? at : entry.selected[at]];
        if (message.ends_bucket) {
            gap_->ended_buckets.emplace_back(message.bucket);
        }
    }
}

void Inbox::close_gap()
{
    if (gap_) {
        const bool loses = !gap_->ended_buckets.empty();
        entries_.push_back({make_marker(*gap_), {0}, {}, loses});
        gap_.reset();
    }
}

std::vector<Entry> Inbox::make_room(Entry entry)
{
    if (overflow_ != Overflow::latest) {
        return clear();
    }
    // A copy of what is left, so that what is dropped goes with the old one.
    Coalescer newest;
    for (const Entry& each : entries_) {
        newest.add(each);
    }
    newest.add(std::move(entry));
    const std::size_t messages = newest.messages();
    const std::size_t bytes = newest.bytes();
    std::vector<Entry> dropped = clear();
    // Less than half would be full again too soon.
    const Budget half{budget_.messages / 2, budget_.bytes / 2};
    if (half.allows(messages, bytes) && (!shared_ || shared_->reserve(bytes))) {
        coalesced_ += newest.left_out();
        entries_ = newest.take();
        messages_ = messages;
        bytes_ = bytes;
    }
    return dropped;
}

std::vector<Entry> Inbox::clear()
{
    if (shared_) {
        shared_->release(bytes_);
    }
    messages_ = 0;
    bytes_ = 0;
    return std::exchange(entries_, {});
}

Inbox::Taken Inbox::take()
{
    Taken taken;
    const std::lock_guard lock(mutex_);
    close_gap();
    taken.entries = clear();
    taken.signals = signals_;
    signals_.fell_behind = false;
    signals_.overflowed = false;
    taken.coalesced = std::exchange(coalesced_, 0);
    taken.nothing_up_to = std::exchange(nothing_up_to_, std::nullopt).value_or(0);
    return taken;
}

void Inbox::detach(Revision revision)
{
    const std::lock_guard lock(mutex_);
    signals_.detached_at = revision;
}

Signals Inbox::signals()
{
    const std::lock_guard lock(mutex_);
    news_ = false;
    return signals_;
}

bool Inbox::sleep(bool live)
{
    const std::lock_guard lock(mutex_);
    if (news_ || !entries_.empty() || gap_) {
        return false;
    }
    awake_ = false;
    live_ = live;
    return true;
}

bool Inbox::rest()
{
    const std::lock_guard lock(mutex_);
    resting_ = !news_;
    return resting_;
}

bool Inbox::empty() const
{
    const std::lock_guard lock(mutex_);
    return entries_.empty() && !gap_;
}

Inbox::Level Inbox::level() const
{
    const std::lock_guard lock(mutex_);
    return {messages_, bytes_};
}

std::optional<Revision> Inbox::up_to_date(Revision routed) const
{
    const std::lock_guard lock(mutex_);
    if (!live_ || awake_) {
        return std::nullopt;
    }
    return std::min(routed, signals_.detached_at);
}

}  // namespace keywatch::watch
