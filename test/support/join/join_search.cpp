// SPDX-License-Identifier: BSL-1.0
// The search of the model.
#include "join_model.hpp"

#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace keywatch::test {

namespace {

/// Where a search is, or was.
enum class Mark { on_the_path, left };

/// A state on the path, and which of those who can go on from it does.
struct Turn {
    Mark& mark;
    std::vector<JoinModel::Actor> actors;
    std::size_t choice = 0;
};

}  // namespace

JoinSearch search(const JoinScenario& scenario, Fault fault)
{
    JoinSearch result;
    std::unordered_map<std::string, Mark> seen;
    // Each round takes the steps of `path` again, for a model cannot be copied, goes on from there
    // to a state that was seen before, and then turns back to the last place with another choice.
    std::vector<Turn> path;
    do {
        JoinModel model(scenario, fault);
        try {
            for (const Turn& turn : path) {
                model.step(turn.actors[turn.choice]);
            }
            while (true) {
                const auto [state, is_new] = seen.try_emplace(model.key(), Mark::on_the_path);
                if (!is_new && state->second != Mark::left) {
                    throw std::logic_error("the worker runs in circles");
                }
                if (!is_new) {
                    break;
                }
                std::vector<JoinModel::Actor> actors = model.enabled();
                if (actors.empty()) {
                    state->second = Mark::left;
                    ++result.ends;
                    result.given_up += model.gave_up() ? 1 : 0;
                    model.check_end();
                    break;
                }
                const JoinModel::Actor first = actors.front();
                path.push_back({state->second, std::move(actors)});
                model.step(first);
            }
        } catch (const std::logic_error& error) {
            result.failure = scenario.commits + ": " + error.what() + ", after";
            for (const Turn& turn : path) {
                *result.failure += ' ' + std::to_string(turn.choice);
            }
        }
        while (!path.empty() && path.back().choice + 1 == path.back().actors.size()) {
            path.back().mark = Mark::left;
            path.pop_back();
        }
        if (!path.empty()) {
            ++path.back().choice;
        }
    } while (!path.empty() && !result.failure);
    result.states = seen.size();
    return result;
}

}  // namespace keywatch::test
