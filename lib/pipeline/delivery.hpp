// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "watch/inbox.hpp"
#include "watch/wanted.hpp"

#include <keywatch/position.hpp>

#include <cstddef>
#include <exception>
#include <optional>

namespace keywatch::pipeline {

/// What was taken from the inbox, for delivery.
struct Incoming {
    watch::Inbox::Taken taken;
    /// What the predicate threw at the commit behind `before_error`, of which nothing is there.
    std::exception_ptr error;
    Revision before_error = 0;
};

/// What was taken, and how much of it has been delivered.
struct Delivery {
    Incoming incoming;
    /// R as it was read before.
    Revision routed = 0;
    std::size_t next = 0;
    /// Of the next one, if it has been begun; so many of its messages have been delivered.
    std::optional<watch::Wanted> begun = {};
    std::size_t messages = 0;
};

}  // namespace keywatch::pipeline
