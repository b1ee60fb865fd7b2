// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "delivery_scenario.hpp"

#include "watch/delivery_fsm.hpp"
#include "watch/inbox.hpp"

#include <limits>
#include <optional>

namespace keywatch::test {

/// Checks the decisions of a machine against what it has been told. Throws std::logic_error.
class DecisionCheck {
public:
    using Action = watch::DeliveryFsm::Action;
    using Do = watch::DeliveryFsm::Do;
    using Ending = watch::DeliveryFsm::Ending;

    explicit DecisionCheck(const DeliveryScenario& scenario)
        : scenario_(scenario), ever_caught_up_(scenario.at_present)
    {
    }

    /// The machine is about to be told of these.
    void look(const watch::Signals& signals, const watch::DeliveryFsm& machine);
    /// And has answered this.
    void looked(const watch::Signals& signals, const Action& action) const;
    /// `machine` is as it was before it was told of R.
    void decided(Revision routed, const watch::DeliveryFsm& machine, const Action& action);
    /// The inbox has been taken, to be delivered. `any`: there was something in it.
    void taken(const watch::Signals& signals, bool any, const Action& action);
    /// The inbox has been taken for the last time.
    void took_last(const watch::Signals& signals, bool any,
                   const watch::DeliveryFsm& machine) const;
    void read_gap() { lag_at_begin_.reset(); }
    /// The machine has answered the report on one action with the next one.
    void follows(Do before, const Action& action, const watch::DeliveryFsm& machine);

    bool ever_caught_up() const noexcept { return ever_caught_up_; }
    /// The watch was too slow to catch up, and its policy was not to be late.
    bool gave_up() const noexcept { return gave_up_; }

    template <class Out>
    void describe(Out out) const
    {
        out(told_.has_value(), told_.value_or(Ending::none), last_, by_itself_, caught_up_);
        out(ever_caught_up_, gave_up_, was_joined_, routed_);
        out(lag_at_begin_.has_value(), lag_at_begin_.value_or(0));
    }

private:
    static constexpr Revision never = std::numeric_limits<Revision>::max();

    bool is_to_end() const noexcept { return last_ != never; }
    bool is_too_slow(Revision lag) const;
    void learn(const watch::Signals& signals);

    const DeliveryScenario& scenario_;
    std::optional<Ending> told_;  ///< by the signals, at the position that it had then
    bool was_live_ = false;       ///< when it looked
    Revision last_ = never;       ///< it is to end when it has everything up to here
    Revision routed_ = 0;         ///< R, as it was read for the position at the end
    bool by_itself_ = false;      ///< its own inbox was full before it had caught up
    bool caught_up_ = false;      ///< since it last fell behind
    bool ever_caught_up_;
    bool was_joined_ = false;  ///< at the last action
    /// The lag when it began to read what it reads.
    std::optional<Revision> lag_at_begin_;
    bool gave_up_ = false;
};

}  // namespace keywatch::test
