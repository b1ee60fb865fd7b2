// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "inbox.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace keywatch::watch {

/// What a pulling consumer may take without waiting: the batch of commits that the watcher's worker
/// has handed over.
///
/// 1. From `offer` on the batch is out, and the worker rests, until the consumer asks for more than
///    there is in it, or the outbox is shut. Exactly one call tells that it came to that
///    (`handed_back`); its caller starts the worker, which begins with `settle`.
/// 2. A commit is delivered when the consumer has asked for what comes after it.
/// 3. Once it is shut nothing is offered or taken any more.
/// 4. Once it is in a hurry, a batch is handed back as soon as all of it has been taken. Then what
///    comes after the commit that the consumer has may be passed before that one is delivered: both
///    are when the consumer asks for more.
///
/// Thread safety: all members, from any thread. `offer` and `settle` are the worker's.
class Outbox {
public:
    /// Hands over commits, at least one, in order. Gives the number of this batch, from 1; or 0,
    /// and they are not handed over, if it is shut. Precondition: the batch before was settled.
    std::uint64_t offer(std::vector<Entry> entries);

    struct Settled {
        /// As in `Answer`.
        Revision delivered = 0;
        /// Whether all of the batch was.
        bool whole = true;
    };
    /// What became of the batch that came back.
    Settled settle();

    struct Answer {
        /// Whether there is something to take. `take` has taken it: `entry`.
        bool there = false;
        Entry entry;
        /// Everything up to here has been delivered, or did not match; 0 if that is not known.
        Revision delivered = 0;
        /// If the commit that this call made a delivered one was not seen as a whole.
        Within within;
        /// The messages of the commit that this call made a delivered one; 0 if there is none.
        std::size_t messages = 0;
        bool handed_back = false;
        /// How many batches have been offered so far.
        std::uint64_t batches = 0;
    };
    /// The consumer asks whether there is more than what it has taken.
    Answer look();
    /// It asks for that.
    Answer take();

    /// The watch is to end: the worker has to know whether there is more, even if the consumer does
    /// not ask. True if the batch was handed back by that.
    bool hurry();
    /// Everything up to here has been delivered, except what the consumer has. False if there is
    /// such a commit: then it is when that one is.
    bool pass(Revision revision);
    /// Whether the consumer has a commit, after which it has not asked for more.
    bool is_busy() const;

    /// Drops what is there. True if the batch was handed back by that.
    bool shut();

private:
    // With the mutex held.
    Answer ask();
    bool hand_back();

    mutable std::mutex mutex_;
    std::vector<Entry> entries_;
    std::size_t next_ = 0;
    /// Up to where everything is delivered with the commit that the consumer has, and the number of
    /// its messages; 0 if it has asked for more since.
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
