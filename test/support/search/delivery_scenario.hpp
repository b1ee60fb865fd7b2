// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>
#include <keywatch/watch_options.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace keywatch::test {

/// An interruption of a watch.
enum class Interrupt : std::uint8_t { none, stop, cancel, close_now, error };

/// A fault of the strand, the worker or another actor of a DeliveryModel. What the machine
/// does wrong is a mutation: see test/search/mutations.py.
enum class Fault : std::uint8_t {
    none,
    // The strand.
    routed_before_push,  ///< R is written before the pushes of its commit
    join_not_atomic,     ///< R is read first, and the index entered later
    joins_mid_commit,    ///< the index is entered between two slices of a commit
    routes_the_past,     ///< commits from before the feed was resumed are routed
    // The worker.
    routed_read_after_take,  ///< R is read when the inbox was emptied already
    joins_within,            ///< joins before the commit that it starts within has been routed
    not_noted,               ///< the strand is not asked to wake it when R has reached its start
    hold_ignored,            ///< what stands for older commits does not hold the position back
    half_claimed,            ///< a commit that was broken off counts as delivered
    gap_over_an_end,         ///< a gap of history leaves out the end of a bucket as well
    loss_not_noted,          ///< a bucket that ended in the inbox is looked for in history
    error_passed_over,       ///< the predicate throws, and the rest of the batch is delivered
    // Interruptions and ends.
    flag_before_signal,  ///< the worker may stop for a reason that it is not told yet
    shut_before_signal,  ///< the outbox is shut for such a reason
    not_hurried,         ///< the consumer has all of it, and the worker is not told of the end
};

/// A letter of `commits` is a commit:
///   m n   changes a key each;
///   M     changes the key of m, after another one that does not match;
///   x o   do not match, o as it is of another bucket;
///   D     deletes the bucket, with which a watch ends;
///   R     deletes it and changes the key of m in the new one;
///   C     makes it anew and changes the key of m;
///   p E   as m and D, of the second bucket, if the watch follows that;
///   !     the predicate throws; q: it leaves this out.
struct DeliveryScenario {
    std::string commits = {};
    Revision start = 0;      ///< what comes after it is delivered; of `from_state`, its revision
    std::uint32_t seen = 0;  ///< so many messages of the next commit are not
    Revision routed_before = 0;  ///< R at the beginning
    Revision on_their_way = 0;   ///< so many commits up to R have yet to reach the distributor
    std::size_t room = 1;        ///< of the inbox, in messages
    Revision near = 1;
    std::size_t slice = 1;  ///< of history, in commits
    Overflow overflow = Overflow::catch_up;

    bool two = false;         ///< it follows a second bucket
    bool pulled = false;      ///< the consumer takes from an outbox; else a callback is called
    bool rests = false;       ///< the consumer does not ask for more than there is
    bool from_state = false;  ///< it begins with a snapshot
    bool at_present = false;  ///< nothing came after the start when the watch was made
    bool paced = false;       ///< the time matters

    Interrupt interrupt = Interrupt::none;
    Interrupt second = Interrupt::none;
    bool close = false;           ///< the database is closed
    bool drain = false;           ///< the watch is drained, before the last commit
    bool callback_stops = false;  ///< the callback may return Flow::stop

    bool starved = false;   ///< others have used up the bytes that all inboxes share
    bool relieved = false;  ///< and give them back
    bool gap = false;       ///< a commit may be lost on its way to the distributor
    bool trim = false;      ///< history up to the position that is shown may be deleted
};

}  // namespace keywatch::test
