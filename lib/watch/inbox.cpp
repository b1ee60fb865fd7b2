// SPDX-License-Identifier: BSL-1.0
#include "inbox.hpp"

#include "coalescer.hpp"

#include <algorithm>
#include <new>

namespace keywatch::watch {

Inbox::Push Inbox::push(Entry entry) noexcept
{
    std::vector<Entry> dropped;  // destroyed after the mutex is released
    const std::lock_guard lock(mutex_);
    const bool wake = begin_push(*entry.commit);
    try {
        dropped = put(std::move(entry));
    } catch (const std::bad_alloc&) {
        dropped = fall_behind(false);
    }
    return end_push(wake);
}

std::vector<Entry> Inbox::put(Entry entry)
{
    const std::size_t bytes = entry.bytes();
    const bool skips = overflow_ == Overflow::skip && caught_up_;
    if (has_room(entry, bytes) || (skips && entry.loses)) {
        const std::size_t own = entry.own_bytes();
        if (!reserve(own)) {
            return fall_behind(false);
        }
        add(std::move(entry), bytes, own);
    } else if (overflow_ == Overflow::latest) {
        return make_room(std::move(entry));
    } else if (skips) {
        skip(entry);
    } else {
        return fall_behind(true);
    }
    return {};
}

Inbox::Push Inbox::refuse(const CommitRecord& commit)
{
    std::vector<Entry> dropped;  // destroyed after the mutex is released
    const std::lock_guard lock(mutex_);
    const bool wake = begin_push(commit);
    dropped = fall_behind(false);
    return end_push(wake);
}

bool Inbox::begin_push(const CommitRecord& commit)
{
    if (!nothing_up_to_) {
        nothing_up_to_ = commit.previous;
    }
    return !std::exchange(awake_, true);
}

Inbox::Push Inbox::end_push(bool wake) const
{
    if (signals_.fell_behind) {
        return wake ? Push::full_wake : Push::full;
    }
    return wake ? Push::queued_wake : Push::queued;
}

bool Inbox::has_room(const Entry& entry, std::size_t bytes) const
{
    return entries_.empty() || budget_.allows(messages_ + entry.messages(), bytes_ + bytes);
}

void Inbox::add(Entry entry, std::size_t bytes, std::size_t reserved)
{
    reserved_ += reserved;  // from here on clear() releases it
    close_gap();
    const std::size_t messages = entry.messages();
    entries_.push_back(std::move(entry));
    messages_ += messages;
    bytes_ += bytes;
}

void Inbox::skip(const Entry& entry)
{
    untold_.gaps += gap_ ? 0 : 1;
    untold_.messages += entry.messages();
    leave_out(gap_, *entry.commit, entry.messages());
}

void Inbox::close_gap()
{
    if (gap_) {
        entries_.push_back({make_marker(*gap_), {}});
        gap_.reset();
    }
}

std::vector<Entry> Inbox::make_room(Entry entry)
{
    // Coalescing such a commit would delay everything else on the strand. The worker coalesces it
    // instead, when it reads history.
    if (entry.messages() > budget_.messages) {
        return fall_behind(caught_up_);
    }
    // Copies, so that the discarded entries are returned in the old vector.
    Coalescer newest;
    for (const Entry& each : entries_) {
        newest.add(each);
    }
    newest.add(std::move(entry));
    const std::size_t coalesced = newest.left_out();
    const std::size_t messages = newest.messages();
    std::vector<Entry> left = newest.take();
    std::size_t bytes = 0;
    std::size_t own = 0;
    for (const Entry& each : left) {
        bytes += each.bytes();
        own += each.own_bytes();
    }
    // A queue that is more than half full would be full again too soon.
    const Budget half{budget_.messages / 2, budget_.bytes / 2};
    if (!half.allows(messages, bytes)) {
        return fall_behind(true);
    }
    std::vector<Entry> dropped = clear();
    if (!reserve(own)) {
        fall_behind(false);  // the queue is already empty
        return dropped;
    }
    coalesced_ += coalesced;
    entries_ = std::move(left);
    messages_ = messages;
    bytes_ = bytes;
    reserved_ = own;
    return dropped;
}

std::vector<Entry> Inbox::fall_behind(bool full)
{
    signals_.fell_behind = true;
    signals_.full = full;
    signals_.overflowed = full && caught_up_;
    news_ = true;
    caught_up_ = false;
    coalesced_ = 0;  // the worker reads these messages again
    ++falls_;
    return clear();
}

bool Inbox::cut_off(Revision routed)
{
    return signal([this, routed](Signals& signals) {
        signals.fell_behind = true;
        caught_up_ = false;
        ++falls_;
        if (!nothing_up_to_) {
            nothing_up_to_ = routed;
        }
    });
}

void Inbox::skipped(std::uint64_t messages)
{
    const std::lock_guard lock(mutex_);
    ++told_.gaps;
    told_.messages += messages;
}

std::vector<Entry> Inbox::clear()
{
    if (shared_) {
        shared_->release(reserved_);
    }
    messages_ = 0;
    bytes_ = 0;
    reserved_ = 0;
    untold_ = {};
    gap_.reset();
    return std::exchange(entries_, {});
}

Inbox::Taken Inbox::take()
{
    Taken taken;
    {
        const std::lock_guard lock(mutex_);
        taken = take_all();
    }
    for (Entry& each : taken.entries) {
        each.common = nullptr;
    }
    return taken;
}

std::optional<Inbox::Taken> Inbox::take_if_empty()
{
    const std::lock_guard lock(mutex_);
    return entries_.empty() && !gap_ ? std::optional(take_all()) : std::nullopt;
}

Inbox::Taken Inbox::take_all()
{
    Taken taken;
    close_gap();
    told_.gaps += untold_.gaps;
    told_.messages += untold_.messages;
    taken.entries = clear();
    taken.signals = signals_;
    caught_up_ = caught_up_ || !signals_.fell_behind;
    signals_.fell_behind = false;
    signals_.full = false;
    signals_.overflowed = false;
    taken.coalesced = std::exchange(coalesced_, 0);
    taken.nothing_up_to = std::exchange(nothing_up_to_, std::nullopt).value_or(0);
    return taken;
}

void Inbox::drop()
{
    std::vector<Entry> dropped;  // destroyed after the mutex is released
    const std::lock_guard lock(mutex_);
    dropped = clear();
    signals_.fell_behind = false;
    signals_.full = false;
    signals_.overflowed = false;
    caught_up_ = false;
    coalesced_ = 0;
    nothing_up_to_.reset();
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
    return {
        messages_,           bytes_, signals_.fell_behind,      signals_.full,
        signals_.overflowed, falls_, told_.gaps + untold_.gaps, told_.messages + untold_.messages};
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
