// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "join_model.hpp"

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace keywatch::test {

/// Small ones with these commits, and otherwise as `kind`: starts in the past, now and in the
/// future of R; inboxes that overflow at every commit, and that do not; far and near joins.
inline std::vector<JoinScenario> scenarios_of(const std::string& commits, const JoinScenario& kind)
{
    std::vector<JoinScenario> scenarios;
    const Revision last = commits.size();
    // In less than two nothing can make way.
    const std::size_t unit = kind.overflow == Overflow::latest ? 2 : 1;
    JoinScenario each = kind;
    each.commits = commits;
    const Revision last_start = kind.seen == 0 ? last : last - 1;
    for (each.start = 0; each.start <= last_start; ++each.start) {
        for (const Revision routed : std::set<Revision>{0, each.start, last}) {
            each.routed_before = routed;
            const auto add = [&](std::size_t room, Revision near, std::size_t slice) {
                each.room = room * unit;
                each.near = near;
                each.slice = slice;
                scenarios.push_back(each);
            };
            add(1, 0, 1);
            add(1, 2, 2);
            add(2, 1, 1);
        }
    }
    return scenarios;
}

struct Total {
    std::size_t states = 0;
    std::size_t ends = 0;
    std::size_t given_up = 0;
    std::string failure;
};

/// Searches all of this kind, until one fails.
inline Total search_all(const std::vector<std::string>& commits, const JoinScenario& kind = {},
                        Fault fault = Fault::none)
{
    Total total;
    for (const std::string& each : commits) {
        for (const JoinScenario& scenario : scenarios_of(each, kind)) {
            const JoinSearch found = search(scenario, fault);
            total.states += found.states;
            total.ends += found.ends;
            total.given_up += found.given_up;
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
