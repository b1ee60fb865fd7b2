// SPDX-License-Identifier: BSL-1.0
// A selection of small scenarios.
#include "delivery_search.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

namespace keywatch::test {

namespace {

struct Suite {
    std::vector<std::string> histories;
    DeliveryScenario kind;
};

std::vector<Suite> suites_of_callbacks()
{
    return {
        {{"mm"}, {.callback_stops = true}},
        {{"D"}, {.overflow = Overflow::latest, .paced = true}},
    };
}

std::vector<Suite> suites_of_both()
{
    using enum Interrupt;
    return {
        {{"mDm", "xx", "mqm", "x!"}, {}},
        {{"m!m", "x!"}, {.overflow = Overflow::latest}},
        {{"Rm"}, {.seen = 1}},
        {{"m"}, {.from_state = true}},
        {{"m"}, {.interrupt = stop}},
        {{"m"}, {.interrupt = cancel}},
        {{"m"}, {.interrupt = close_now}},
        {{"m"}, {.interrupt = error}},
        {{""}, {.interrupt = stop, .second = cancel}},
        {{"m", ""}, {.from_state = true, .close = true}},
        {{"m", "x"}, {.close = true}},
        {{"mx"}, {.drain = true}},
        {{"mDE"}, {.two = true}},
        {{"mD"}, {.overflow = Overflow::latest}},
    };
}

/// Scenarios that are too large for more than one of their kind; mostly, an inbox is full in them,
/// or a watch too slow to catch up.
std::vector<DeliveryScenario> large_ones()
{
    using enum Overflow;
    return {
        {.commits = "mm", .near = 0, .interrupt = Interrupt::stop},
        {.commits = "m", .near = 0, .paced = true, .close = true},
        {.commits = "mm", .near = 0, .overflow = stop},
        {.commits = "mm", .near = 0, .overflow = stop, .close = true},
        {.commits = "mmm", .near = 0, .overflow = stop, .starved = true},
        {.commits = "mmm", .near = 0, .overflow = stop, .at_present = true},
        {.commits = "xmm", .near = 0, .gap = true, .trim = true},
        {.commits = "mmmm", .near = 1, .overflow = stop, .at_present = true},
        {.commits = "mmm", .near = 0, .overflow = skip, .at_present = true, .close = true},
        {.commits = "mmmmm", .near = 0, .overflow = skip, .at_present = true, .starved = true},
    };
}

/// Returns those of scenarios_of that start at the beginning or in the future.
std::vector<DeliveryScenario> few_of(const Suite& suite)
{
    std::vector<DeliveryScenario> scenarios;
    for (const std::string& each : suite.histories) {
        std::ranges::copy_if(
            scenarios_of(each, suite.kind), std::back_inserter(scenarios),
            [](const DeliveryScenario& one) { return one.routed_before == 0 && one.start <= 1; });
    }
    return scenarios;
}

}  // namespace

DeliverySearch search_quickly()
{
    std::vector<DeliveryScenario> scenarios = large_ones();
    const auto add = [&scenarios](const std::vector<DeliveryScenario>& more) {
        scenarios.insert(scenarios.end(), more.begin(), more.end());
    };
    for (const Suite& each : suites_of_callbacks()) {
        add(few_of(each));
    }
    std::vector<Suite> both = suites_of_both();
    for (Suite& each : both) {
        add(few_of(each));
        each.kind.pulled = true;
        add(few_of(each));
    }
    // The longer ones come last.
    std::ranges::stable_sort(scenarios, {},
                             [](const DeliveryScenario& each) { return each.commits.size(); });
    DeliverySearch total;
    for (const DeliveryScenario& each : scenarios) {
        total.add(search_one(each));
        if (!total.failure.empty()) {
            break;
        }
    }
    return total;
}

}  // namespace keywatch::test
