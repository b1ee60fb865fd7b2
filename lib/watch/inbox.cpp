// SPDX-License-Identifier: BSL-1.0
#include "inbox.hpp"

#include <algorithm>

namespace keywatch::watch {

Inbox::Push Inbox::push(Entry entry)
{
    const std::size_t messages = entry.messages();
    const std::size_t bytes = entry.commit->pinned_bytes();
    std::vector<Entry> dropped;
    const std::lock_guard lock(mutex_);
    const bool fits = entries_.empty() || budget_.allows(messages_ + messages, bytes_ + bytes);
    const bool wake = !std::exchange(awake_, true);
    if (!nothing_up_to_) {
        nothing_up_to_ = entry.commit->previous;
    }
    if (!fits) {
        dropped.swap(entries_);
        messages_ = 0;
        bytes_ = 0;
        signals_.fell_behind = true;
        news_ = true;
        return wake ? Push::full_wake : Push::full;
    }
    entries_.push_back(std::move(entry));
    messages_ += messages;
    bytes_ += bytes;
    return wake ? Push::queued_wake : Push::queued;
}

Inbox::Taken Inbox::take()
{
    Taken taken;
    const std::lock_guard lock(mutex_);
    taken.entries.swap(entries_);
    taken.signals = signals_;
    messages_ = 0;
    bytes_ = 0;
    signals_.fell_behind = false;
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
    if (news_ || !entries_.empty()) {
        return false;
    }
    awake_ = false;
    live_ = live;
    return true;
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
