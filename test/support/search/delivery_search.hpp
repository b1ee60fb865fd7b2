// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "delivery_scenario.hpp"

#include "watch/delivery_fsm.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace keywatch::test {

struct DeliverySearch {
    using Ending = watch::DeliveryFsm::Ending;

    /// The failure and the steps that led to it; empty if there is none.
    std::string failure;
    std::size_t states = 0;
    /// The number of states in which no actor can take a step.
    std::size_t ends = 0;
    /// The number of these ends after the worker gave up.
    std::size_t given_up = 0;
    /// The number of ends by the ending of the watch; `none` if it has not ended.
    std::array<std::size_t, static_cast<std::size_t>(Ending::failed) + 1> ended = {};

    std::size_t ended_as(Ending ending) const { return ended[static_cast<std::size_t>(ending)]; }
    void add(const DeliverySearch& other);
};

/// Goes through every order in which the actors can take their steps, until one of them fails.
DeliverySearch search_one(const DeliveryScenario& scenario, Fault fault = Fault::none);

/// Small scenarios with these commits, and otherwise as `kind`: starts in the past, now and in the
/// future of R; inboxes that overflow at every commit, and that do not; far and near joins.
std::vector<DeliveryScenario> scenarios_of(const std::string& commits, DeliveryScenario kind);

/// Searches all of these, until one fails.
DeliverySearch search_all(const std::vector<std::string>& histories,
                          const DeliveryScenario& kind = {}, Fault fault = Fault::none);

/// Searches some small scenarios of all kinds, until one fails. They notice what
/// test/search/mutations.py does to the machine.
DeliverySearch search_quickly();

}  // namespace keywatch::test
