// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "contract_checker.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

// The messages that a watch should receive, computed in the simplest way.
namespace keywatch::test::contract {

/// The place of a message in history.
struct Place {
    Revision revision = 0;
    std::uint32_t index = 0;

    friend auto operator<=>(const Place&, const Place&) = default;
};

struct Expected {
    Place place;
    const Message* message = nullptr;
};

/// Returns all messages after `start` for the watch, until the last of its buckets has ended.
std::vector<Expected> expectation(const std::vector<Made>& history, const Watched& watched,
                                  Revision start);

/// Returns true if the last of the watch's buckets has ended at this revision.
bool ends_with_buckets(const std::vector<Expected>& expected, const Watched& watched,
                       Revision position);

/// Returns the snapshot at a revision that the watch selects, each message as `describe_state`
/// prints it.
std::vector<std::string> state_at(const std::vector<Made>& history, const Watched& watched,
                                  Revision revision);
std::string describe_state(const Message& message);

/// Returns the element of which `Overflow::latest` keeps one message.
std::string element_of(const Message& message);

}  // namespace keywatch::test::contract
