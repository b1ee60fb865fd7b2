// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "join_model.hpp"

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace keywatch::test {

/// Small ones of every kind: starts in the past, now and in the future of R; inboxes that overflow
/// at every commit, and that do not; far and near joins.
inline std::vector<JoinScenario> scenarios_of(const std::string& commits)
{
    std::vector<JoinScenario> scenarios;
    const Revision last = commits.size();
    for (Revision start = 0; start <= last; ++start) {
        for (const Revision routed : std::set<Revision>{0, start, last}) {
            scenarios.push_back({commits, start, routed, 1, 0, 1, false, false});
            scenarios.push_back({commits, start, routed, 1, 2, 2, false, false});
            scenarios.push_back({commits, start, routed, 2, 1, 1, false, false});
        }
    }
    return scenarios;
}

struct Total {
    std::size_t states = 0;
    std::size_t ends = 0;
    std::string failure;
};

/// Searches all of them, with and without somebody who interrupts, until one fails.
inline Total search_all(const std::vector<std::string>& commits, bool stop, bool close,
                        Fault fault = Fault::none, Overflow overflow = Overflow::catch_up)
{
    Total total;
    for (const std::string& each : commits) {
        for (JoinScenario scenario : scenarios_of(each)) {
            scenario.stop = stop;
            scenario.close = close;
            scenario.overflow = overflow;
            if (overflow == Overflow::latest) {
                scenario.room *= 2;  // in less nothing can make way
            }
            const JoinSearch found = search(scenario, fault);
            total.states += found.states;
            total.ends += found.ends;
            if (found.failure) {
                total.failure = *found.failure + "; start " + std::to_string(scenario.start) +
                                ", routed before " + std::to_string(scenario.routed_before) +
                                ", room " + std::to_string(scenario.room) + ", near " +
                                std::to_string(scenario.near);
                return total;
            }
        }
    }
    return total;
}

}  // namespace keywatch::test
