// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "inbox.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace keywatch::watch {

/// The batch of commits that a watcher's worker has handed over to a pulling consumer, which takes
/// them without waiting.
///
/// 1. After `offer`, the consumer owns the batch and the worker is parked, until the consumer asks
///    for more than the batch contains, or the outbox is shut. Exactly one call reports that
///    (`handed_back`); its caller starts the worker, which calls `settle` first.
/// 2. A commit is delivered when the consumer has asked for the next one.
/// 3. After `shut`, nothing is offered or taken.
/// 4. After `hurry`, a batch is handed back as soon as all of it has been taken. Then revisions
///    after the commit that the consumer has may be passed before that commit is delivered: both
///    are delivered when the consumer asks for more.
///
/// Thread safety: all members, from any thread. `offer` and `settle` are called by the worker only.
class Outbox {
public:
    /// Hands over at least one commit, in order. Returns the number of this batch, from 1. If the
    /// outbox is shut, returns 0 and hands nothing over. Precondition: the batch before was
    /// settled.
    std::uint64_t offer(std::vector<Entry> entries);

    struct Settled {
        /// Same as `Answer::delivered`.
        Revision delivered = 0;
        /// False if the outbox was shut before all of the batch was delivered.
        bool whole = true;
    };
    /// Returns the outcome of the batch that was handed back.
    Settled settle();

    struct Answer {
        /// True if there is something to take. `take` then stores it in `entry`.
        bool there = false;
        Entry entry;
        /// Everything up to here was delivered or did not match; 0 if unknown.
        Revision delivered = 0;
        /// Set if the commit that became delivered by this call was not seen as a whole.
        Within within;
        /// Number of messages of the commit that became delivered by this call; 0 if there is none.
        std::size_t messages = 0;
        bool handed_back = false;
        /// Number of batches that have been offered so far.
        std::uint64_t batches = 0;
    };
    /// Asks whether there is more than the consumer has taken. The commit that it has is delivered.
    Answer look();
    /// Same as `look`, and takes the next commit.
    Answer take();

    /// Called when the watch is to end: the worker must know whether there is more even if the
    /// consumer does not ask. Returns true if that handed the batch back.
    bool hurry();
    /// Records that everything up to here has been delivered, except the commit that the consumer
    /// has. Returns false if there is such a commit: everything up to here is then delivered with
    /// it.
    bool pass(Revision revision);
    /// Returns true if the consumer has a commit after which it has not asked for more.
    bool is_busy() const;

    /// Closes the outbox and discards the batch. Returns true if that handed the batch back.
    bool shut();

    /// Calls `out` with everything that tells two outboxes apart, except statistics; for
    /// tests.
    template <class Out>
    void describe(Out out) const
    {
        const std::lock_guard lock(mutex_);
        out(out_, shut_, hurries_, whole_, taken_, delivered_, taken_messages_);
        out(taken_within_.at, taken_within_.revision, taken_within_.seen, entries_.size() - next_);
        for (std::size_t at = next_; at < entries_.size(); ++at) {
            entries_[at].describe(out);
        }
    }

private:
    // The mutex is held in the following.
    Answer ask();
    bool hand_back();

    mutable std::mutex mutex_;
    std::vector<Entry> entries_;
    std::size_t next_ = 0;
    /// The revision up to which everything is delivered with the commit that the consumer has, and
    /// the number of that commit's messages; 0 if the consumer has asked for more since.
    Revision taken_ = 0;
    Within taken_within_;
    std::size_t taken_messages_ = 0;
    Revision delivered_ = 0;
    std::uint64_t batches_ = 0;
    bool out_ = false;
    bool shut_ = false;
    bool hurries_ = false;
    bool whole_ = true;
};

}  // namespace keywatch::watch
