// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "decision_check.hpp"
#include "delivery_world.hpp"
#include "model_source.hpp"

#include "watch/delivery_fsm.hpp"

#include <cstdint>
#include <optional>

namespace keywatch::test {

/// The worker of a DeliveryModel: performs what a DeliveryFsm decides, as the pipeline's does, and
/// checks the decisions. A step touches at most one thing that is shared.
class ModelWorker {
public:
    using Action = watch::DeliveryFsm::Action;
    using Do = watch::DeliveryFsm::Do;
    using Ending = watch::DeliveryFsm::Ending;

    ModelWorker(DeliveryWorld& world, bool begins_within);

    /// The outcome of an action that has more than one.
    enum class Choice : std::uint8_t {
        usual,
        other,       ///< it is early; progress is due; the callback stops the watch
        half,        ///< interrupted, the commit is broken off
        stops_half,  ///< the callback stops the watch before the last message of the commit
        breaks_off,  ///< the interruption is noticed before the next entry
        aborts,      ///< the coroutine of the callback is cancelled
    };
    bool can(Choice choice) const;
    void work(Choice choice);

    void wake();
    void hand_back();

    const watch::DeliveryFsm& machine() const noexcept { return machine_; }
    bool has_ended() const noexcept { return ending_ != Ending::none; }
    Ending ending() const noexcept { return ending_; }
    bool is_asleep() const noexcept
    {
        return action_.what == Do::nothing && !takes_back_ && !machine_.is_parked();
    }
    bool stopped_itself() const noexcept { return stopped_itself_; }
    const DecisionCheck& check() const noexcept { return check_; }
    /// How many entries the consumer may take.
    std::size_t offered() const noexcept { return offered_; }
    void taken() noexcept { offered_ -= offered_ > 0 ? 1 : 0; }

    template <class Out>
    void describe(Out out) const
    {
        machine_.describe(out);
        source_.describe(out);
        out(action_.what, action_.how, action_.flag, action_.revision, ending_, takes_back_);
        out(asked_to_join_, taken_.has_value(), early_, too_early_, due_, timers_, stopped_itself_,
            offered_);
        check_.describe(out);
    }

private:
    struct Taken {
        watch::Signals signals;
        watch::DeliveryFsm::InboxTaken report;
    };

    bool is_at_entry() const;
    void report(const Action& action);

    void perform(bool other);
    void look();
    void check_time(bool early);
    void read_routed();
    void read_history();
    void join();
    void take_inbox();
    void take_if_empty();
    void took(const Taken& taken);
    void check_progress(bool due);
    void sleep();

    void deliver(Choice choice);
    void deliver_entry(Choice choice);
    void deliver_from_slice(Choice choice);
    /// Returns false if the rest must not be delivered; it has been reported then.
    bool call_back(const watch::Entry& entry, Revision through, Choice choice);
    void offer();
    void take_back();

    DeliveryWorld& world_;
    watch::DeliveryFsm machine_;
    ModelSource source_;
    DecisionCheck check_;
    Action action_;
    Ending ending_ = Ending::none;
    bool takes_back_ = false;  ///< the batch that it had handed over
    bool asked_to_join_ = false;
    std::optional<Taken> taken_;  ///< of a fault
    int early_ = 0;
    bool too_early_ = false;  ///< nothing may be delivered from the inbox
    int due_ = 0;
    int timers_ = 0;
    bool stopped_itself_ = false;
    std::size_t offered_ = 0;
};

}  // namespace keywatch::test
