// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/watch/commits.hpp"
#include "watch/distributor.hpp"
#include "watch/follower.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace keywatch::test {

/// What the worker or the strand of a JoinModel does wrong.
enum class Fault {
    none,
    routed_read_after_take,  ///< R is read when the inbox was emptied already
    routed_before_push,      ///< R is written before the pushes of its commit
    join_not_atomic,         ///< R is read first, and the index entered later
    joins_mid_commit,        ///< the index is entered between two slices of a commit
    overflow_ignored,        ///< an inbox that was thrown away passes for an empty one
    joins_before_start,      ///< does not wait for R to reach its start
    end_not_looked_at,       ///< falls asleep without looking whether it has come to its end
    leftovers_forgotten,     ///< interrupted, it claims what it has taken and not delivered
    hold_ignored,            ///< what stands for older commits does not hold the position back
    gap_over_an_end,         ///< too slow, it leaves out the end of its bucket as well
    gives_up_at_once,        ///< takes the way to its beginning for being too slow
    routes_the_past,         ///< commits from before the feed was roused are routed
    joins_within,            ///< joins before the commit that it starts within has been routed
};

/// A letter is a commit: m and n match, of a key each, M has another message besides, x and o do
/// not match (o is of another bucket), D deletes the bucket, with which a watch ends, R deletes it
/// and changes a key of the new one.
struct JoinScenario {
    std::string commits = {};
    Revision start = 0;          ///< delivered is what comes behind it
    std::uint32_t seen = 0;      ///< so many messages of the next commit are not
    Revision routed_before = 0;  ///< R at the beginning
    Revision on_their_way = 0;   ///< so many commits up to R have yet to reach the distributor
    std::size_t room = 1;        ///< of the inbox, in messages
    Revision near = 1;
    std::size_t slice = 1;  ///< of history, in commits
    bool stop = false;      ///< somebody calls request_stop()
    bool close = false;     ///< somebody closes the database
    Overflow overflow = Overflow::catch_up;
    bool starved = false;     ///< others have used up the bytes that all inboxes share
    bool relieved = false;    ///< and give them back
    bool at_present = false;  ///< nothing came behind the start when the watch was made
};

/// The strand, which routes a commit in slices, one watcher's worker and whoever interrupts it, as
/// the pipeline drives them, in steps between which others may come: everything that the real ones
/// do with what they share is one step. The distributor, the index, the inbox and the follower are
/// the real ones.
///
/// Every step checks what must always hold, and throws std::logic_error if it does not.
class JoinModel {
public:
    enum class Actor { strand_routes, strand_runs_task, victims, worker, stopper, closer, others };

    JoinModel(const JoinScenario& scenario, Fault fault);

    /// Whoever can do something now.
    std::vector<Actor> enabled() const;
    void step(Actor actor);
    /// What must hold when nobody can do anything any more.
    void check_end() const;
    /// Tells states apart that can go on differently, or end as something else.
    std::string key() const;
    /// Whether the worker was too slow to catch up, and its policy was not to be late.
    bool gave_up() const noexcept { return gave_up_; }

private:
    /// What the worker does next.
    enum class At {
        asleep,
        look,
        decide,
        read_slice,
        deliver_slice,
        read_gap,
        deliver_gathered,
        joining,
        read_routed,
        take,
        read_routed_late,
        deliver_taken,
        taken,
        sleep,
        sleep_until_start,
        settle_routed,
        settle_taken,
        ended,
    };
    enum class Reason { none, stopped, bucket_deleted, closed, overflow };

    bool matches(Revision revision) const;
    /// Whether the watch ends with this commit.
    bool ends_it(Revision revision) const;
    /// Whether it has a part of this commit when it starts.
    bool starts_within(Revision revision) const;
    /// Whether a message of the one stands for the other under Overflow::latest.
    bool same_element(Revision one, Revision other) const;
    /// The first one to be delivered that has not been, and is not accounted for either.
    std::optional<Revision> missing() const;
    SharedRecord commit(Revision revision) const;
    Revision head() const { return scenario_.commits.size(); }
    bool indexed() const;
    bool can_run_task() const;

    void route();
    void route_slice();
    void write_routed();
    void run_task();
    void signal_stop();
    void wake(bool asleep);
    void poke();

    void work();
    void decide();
    void read_slice();
    void read_newest();
    bool gives_up() const;
    void give_up();
    void read_gap();
    void deliver_slice();
    void deliver_gathered();
    void deliver_taken();
    /// Whether the worker is interrupted by now.
    bool deliver_entry();
    void settle_taken();
    void end(Reason reason);
    /// Whether the worker is interrupted by now. `through`: where the position is then.
    bool deliver(const watch::Entry& entry, Revision through);
    void account_for(const watch::Entry& entry);
    bool ends(const watch::Signals& signals);

    void check_position() const;

    const JoinScenario scenario_;
    const Fault fault_;
    /// What is to be delivered, and what of it was, or is accounted for.
    std::vector<Revision> expected_;
    std::set<Revision> delivered_;
    Revision newest_ = 0;

    // Others have all of them while they starve it.
    const std::shared_ptr<watch::SharedBytes> bytes_;
    bool starves_;

    watch::Distributor distributor_;
    std::shared_ptr<watch::Subscription> subscriber_;
    /// Gets the same commits, after it.
    const watch::SharedSubscription bystander_;
    watch::Follower follower_;

    // The strand.
    Revision routed_;
    Revision next_;
    /// What it does; after its last push it writes R, and nothing of the strand comes in between.
    enum class Strand { idle, routing, pushed } strand_ = Strand::idle;
    std::size_t slices_ = 0;  ///< of the commit that is being routed
    std::uint64_t entries_before_ = 0;
    bool wake_after_commit_ = false;
    bool victim_ = false;
    bool join_posted_ = false;
    std::vector<Revision> wake_at_posted_;
    std::set<Revision> wake_at_;

    // Whoever interrupts.
    int stop_steps_ = 0;
    bool closed_ = false;
    bool interrupted_ = false;

    // The worker.
    At at_ = At::look;
    Reason reason_ = Reason::none;
    Revision seen_routed_ = 0;
    watch::Inbox::Taken taken_;
    std::vector<Revision> slice_;
    Revision slice_reached_ = 0;
    bool slice_loses_ = false;
    bool caught_up_ = false;  ///< since it last fell behind
    bool was_caught_up_;      ///< ever
    /// R when it began to read what it reads, if that may be too much.
    std::optional<Revision> began_at_;
    bool gave_up_ = false;
    std::size_t place_ = 0;

    // What the inbox was given since it was last emptied, and since its signals were looked at.
    std::string since_take_;
    std::string since_look_;
    std::string told_;
};

struct JoinSearch {
    /// What is wrong, and after which steps; nothing if all is well.
    std::optional<std::string> failure;
    std::size_t states = 0;
    /// Of these, how many in which nobody can do anything any more.
    std::size_t ends = 0;
    /// Of these, how many after the worker gave up.
    std::size_t given_up = 0;
};

/// Goes through every order in which the actors can take their steps, until one of them fails.
JoinSearch search(const JoinScenario& scenario, Fault fault);

}  // namespace keywatch::test
