// SPDX-License-Identifier: BSL-1.0
#include "delivery_search.hpp"

#include "delivery_model.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <set>
#include <stdexcept>
#include <unordered_map>
#include <utility>

namespace keywatch::test {

namespace {

/// Where a search is, or was.
enum class Mark : std::uint8_t { on_the_path, left };

/// A state on the path, and which of the actors that can continue from it does.
struct Turn {
    Mark& mark;
    std::vector<DeliveryModel::Actor> actors;
    std::size_t choice = 0;

    DeliveryModel::Actor actor() const { return actors[choice]; }
};

class Searcher {
public:
    Searcher(const DeliveryScenario& scenario, Fault fault)
        : scenario_(scenario), history_(scenario), fault_(fault)
    {
    }

    DeliverySearch search()
    {
        // Each round takes the steps of the path again, for a model cannot be copied, continues
        // from there to a state that was seen before, and then turns back to the last place with
        // another choice.
        do {
            try {
                DeliveryModel model(scenario_, history_, fault_);
                for (const Turn& turn : path_) {
                    model.step(turn.actor());
                }
                explore(model);
            } catch (const std::logic_error& error) {
                describe_failure(error.what());
            }
            turn_back();
        } while (!path_.empty() && result_.failure.empty());
        result_.states = seen_.size();
        return result_;
    }

private:
    void explore(DeliveryModel& model)
    {
        while (true) {
            const auto [state, is_new] = seen_.try_emplace(model.key(), Mark::on_the_path);
            require(is_new || state->second == Mark::left, "the worker runs in circles");
            if (!is_new) {
                return;
            }
            std::vector<DeliveryModel::Actor> actors = model.enabled();
            if (actors.empty()) {
                state->second = Mark::left;
                count_end(model);
                model.check_end();
                return;
            }
            path_.push_back({state->second, std::move(actors)});
            model.step(path_.back().actor());
        }
    }

    void count_end(const DeliveryModel& model)
    {
        ++result_.ends;
        result_.given_up += model.gave_up() ? 1 : 0;
        ++result_.ended[static_cast<std::size_t>(model.ending())];
    }

    void turn_back()
    {
        while (!path_.empty() && path_.back().choice + 1 == path_.back().actors.size()) {
            path_.back().mark = Mark::left;
            path_.pop_back();
        }
        if (!path_.empty()) {
            ++path_.back().choice;
        }
    }

    void describe_failure(const std::string& what)
    {
        const auto number = [](auto value) { return std::to_string(static_cast<int>(value)); };
        result_.failure = scenario_.commits + ": " + what + "; start " + number(scenario_.start) +
                          ", routed before " + number(scenario_.routed_before) + ", room " +
                          number(scenario_.room) + ", near " + number(scenario_.near) +
                          ", policy " + number(scenario_.overflow) +
                          (scenario_.pulled ? ", pulled" : "") + "; after";
        for (const Turn& turn : path_) {
            result_.failure += ' ' + number(turn.actor());
        }
    }

    const DeliveryScenario& scenario_;
    const DeliveryHistory history_;
    const Fault fault_;
    DeliverySearch result_;
    std::unordered_map<std::string, Mark> seen_;
    std::vector<Turn> path_;
};

}  // namespace

void DeliverySearch::add(const DeliverySearch& other)
{
    states += other.states;
    ends += other.ends;
    given_up += other.given_up;
    std::ranges::transform(ended, other.ended, ended.begin(), std::plus());
    failure = other.failure;
}

DeliverySearch search_one(const DeliveryScenario& scenario, Fault fault)
{
    return Searcher(scenario, fault).search();
}

std::vector<DeliveryScenario> scenarios_of(const std::string& commits, DeliveryScenario kind)
{
    std::vector<DeliveryScenario> scenarios;
    const Revision last = commits.size();
    // In less than two nothing can make way.
    const std::size_t unit = kind.overflow == Overflow::latest ? 2 : 1;
    kind.commits = commits;
    const Revision last_start = kind.seen == 0 ? last : last - 1;
    for (kind.start = 0; kind.start <= last_start; ++kind.start) {
        for (const Revision routed : std::set<Revision>{0, kind.start, last}) {
            kind.routed_before = routed;
            const auto add = [&](std::size_t room, Revision near, std::size_t slice) {
                kind.room = room * unit;
                kind.near = near;
                kind.slice = slice;
                scenarios.push_back(kind);
            };
            add(1, 0, 1);
            add(1, 2, 2);
            add(2, 1, 1);
        }
    }
    return scenarios;
}

DeliverySearch search_all(const std::vector<std::string>& histories, const DeliveryScenario& kind,
                          Fault fault)
{
    DeliverySearch total;
    for (const std::string& each : histories) {
        for (const DeliveryScenario& scenario : scenarios_of(each, kind)) {
            total.add(search_one(scenario, fault));
            if (!total.failure.empty()) {
                return total;
            }
        }
    }
    return total;
}

}  // namespace keywatch::test
