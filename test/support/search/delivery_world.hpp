// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "delivery_history.hpp"
#include "delivery_scenario.hpp"

#include "watch/inbox.hpp"
#include "watch/outbox.hpp"
#include "watch/shared_bytes.hpp"
#include "watch/subscription.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace keywatch::test {

/// The state that the actors of a DeliveryModel share.
struct DeliveryWorld {
    static constexpr std::size_t all_bytes = std::size_t{1} << 30;

    DeliveryWorld(const DeliveryScenario& scenario_, const DeliveryHistory& history_, Fault fault_)
        : scenario(scenario_),
          history(history_),
          fault(fault_),
          bytes(std::make_shared<watch::SharedBytes>(all_bytes)),
          starves(scenario_.starved && bytes->reserve(all_bytes)),
          subscriber(std::make_shared<watch::Subscription>(history_.selectors(), Filter(),
                                                           watch::Budget{scenario_.room, all_bytes},
                                                           scenario_.overflow, bytes)),
          ledger(scenario_, history_),
          routed(scenario_.routed_before)
    {
        subscriber->start_within(scenario_.start, scenario_.seen);
    }

    watch::Inbox& inbox() noexcept { return subscriber->inbox; }
    const watch::Inbox& inbox() const noexcept { return subscriber->inbox; }
    /// Has the worker look again. Returns true if it must be started.
    bool poke()
    {
        return inbox().signal([](watch::Signals&) {});
    }

    template <class Out>
    void describe(Out out) const
    {
        inbox().describe(out);
        outbox.describe(out);
        ledger.describe(out);
        for (const watch::Interest& each : subscriber->interests()) {
            out(each.lost, each.indexed);
        }
        out(starves, routed, joined_at, joins, interrupted, aborts, timer, oldest, shown);
        out(changes.size());
        for (const Change each : changes) {
            out(each);
        }
        out(wakes.size());
        for (const Revision each : wakes) {
            out(each);
        }
    }

    const DeliveryScenario& scenario;
    const DeliveryHistory& history;
    const Fault fault;
    // Other watches have all bytes while they starve it.
    const std::shared_ptr<watch::SharedBytes> bytes;
    bool starves;
    const watch::SharedSubscription subscriber;
    watch::Outbox outbox;
    DeliveryLedger ledger;

    Revision routed;  ///< R

    /// Tasks posted to the strand: changes of the index, and to wake the worker when R has
    /// reached a revision.
    enum class Change : std::uint8_t { join, part };
    std::deque<Change> changes = {};
    std::vector<Revision> wakes = {};
    /// The worker waits for the strand to let it join.
    bool joins = false;
    Revision joined_at = 0;

    bool interrupted = false;  ///< the flag that the worker looks at between entries
    bool aborts = false;       ///< its coroutine has been cancelled
    bool timer = false;        ///< runs, to wake the worker
    Revision oldest = 1;       ///< of history
    Revision shown = 0;        ///< the position, as users see it
};

}  // namespace keywatch::test
