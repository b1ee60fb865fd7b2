// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "contract_checker.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

// What a watch ought to be given, the slow and obvious way.
namespace keywatch::test::contract {

/// Where a message stands in history.
struct Place {
    Revision revision = 0;
    std::uint32_t index = 0;

    friend auto operator<=>(const Place&, const Place&) = default;
};

struct Expected {
    Place place;
    const Message* message = nullptr;
};

/// All messages behind `start` that are for it, until the last of its buckets has ended.
std::vector<Expected> expectation(const std::vector<Made>& history, const Watched& watched,
                                  Revision start);

/// Whether the last of its buckets has ended at this revision.
bool ends_with_buckets(const std::vector<Expected>& expected, const Watched& watched,
                       Revision position);

/// What it selects of the state at a revision, each as `describe_state` tells it.
std::vector<std::string> state_at(const std::vector<Made>& history, const Watched& watched,
                                  Revision revision);
std::string describe_state(const Message& message);

/// What `Overflow::latest` keeps one message of.
std::string element_of(const Message& message);

}  // namespace keywatch::test::contract
