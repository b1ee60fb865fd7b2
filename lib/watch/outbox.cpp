// SPDX-License-Identifier: BSL-1.0
#include "outbox.hpp"

#include <algorithm>
#include <utility>

namespace keywatch::watch {

namespace {

Within within(const Entry& entry, Revision position)
{
    const CommitRecord& commit = *entry.commit;
    return entry.seen == 0 || position != commit.revision
               ? Within()
               : Within{commit.revision, commit.previous, entry.seen};
}

}  // namespace

std::uint64_t Outbox::offer(std::vector<Entry> entries)
{
    const std::lock_guard lock(mutex_);
    if (shut_) {
        return 0;
    }
    entries_.swap(entries);
    next_ = 0;
    out_ = true;
    whole_ = true;
    return ++batches_;
}

Outbox::Settled Outbox::settle()
{
    const std::lock_guard lock(mutex_);
    return {delivered_, whole_};
}

Outbox::Answer Outbox::look()
{
    const std::lock_guard lock(mutex_);
    return ask();
}

Outbox::Answer Outbox::take()
{
    const std::lock_guard lock(mutex_);
    Answer answer = ask();
    if (answer.there) {
        taken_ = position_after(entries_, next_);
        answer.entry = std::move(entries_[next_]);
        ++next_;
        taken_within_ = within(answer.entry, taken_);
        taken_messages_ = answer.entry.messages();
        answer.handed_back = hurries_ && hand_back();
    }
    return answer;
}

Outbox::Answer Outbox::ask()
{
    Answer answer;
    answer.messages = std::exchange(taken_messages_, 0);
    delivered_ = std::max(delivered_, std::exchange(taken_, 0));
    answer.within = std::exchange(taken_within_, {});
    answer.there = next_ < entries_.size();
    if (answer.there) {
        // Nothing between the two revisions matched.
        delivered_ = std::max(delivered_, entries_[next_].follows());
    } else {
        answer.handed_back = hand_back();
        entries_ = std::vector<Entry>();
        next_ = 0;
    }
    answer.delivered = delivered_;
    answer.batches = batches_;
    return answer;
}

bool Outbox::hand_back()
{
    return next_ == entries_.size() && std::exchange(out_, false);
}

bool Outbox::hurry()
{
    const std::lock_guard lock(mutex_);
    hurries_ = true;
    return hand_back();
}

bool Outbox::pass(Revision revision)
{
    const std::lock_guard lock(mutex_);
    if (taken_messages_ == 0) {
        return true;
    }
    taken_ = std::max(taken_, revision);
    return false;
}

bool Outbox::is_busy() const
{
    const std::lock_guard lock(mutex_);
    return taken_messages_ != 0;
}

bool Outbox::shut()
{
    std::vector<Entry> dropped;
    const std::lock_guard lock(mutex_);
    shut_ = true;
    dropped.swap(entries_);
    next_ = 0;
    whole_ = whole_ && !out_;
    return std::exchange(out_, false);
}

}  // namespace keywatch::watch
