// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "embedded/transaction/transaction_workspace.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace keywatch::engine {

/// What one transaction of the sweeper does: it removes keys whose time is over, in the order of
/// their deadlines, as many as one batch shall have.
class Sweep {
public:
    static constexpr std::size_t most_keys = 256;
    /// With so many bytes of values and keys it is enough; the last value may be of any size.
    static constexpr std::size_t most_bytes = std::size_t{1} << 20;

    /// From this deadline_key on: there must be none before it.
    explicit Sweep(std::string from) : from_(std::move(from)) {}

    /// Once.
    void run(TransactionWorkspace& workspace);

    /// The first deadline_key that is left; empty if there is none.
    const std::string& next() const noexcept { return next_; }
    /// Whether that one is due.
    bool more() const noexcept { return more_; }

private:
    const std::string from_;
    std::string next_;
    bool more_ = false;
};

}  // namespace keywatch::engine
