// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "embedded/transaction/transaction_workspace.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace keywatch::embedded {

/// One transaction of the sweeper. It removes keys whose deadline has passed, in the order of their
/// deadlines, up to the size of one batch.
class Sweep {
public:
    static constexpr std::size_t most_keys = 256;
    /// A batch ends once it has this many bytes of keys and values. The last value may have any
    /// size.
    static constexpr std::size_t most_bytes = std::size_t{1} << 20;

    /// Starts at this deadline_key. Precondition: there is none before it.
    explicit Sweep(std::string from) : from_(std::move(from)) {}

    /// Removes the keys. Call once.
    void run(TransactionWorkspace& workspace);

    /// Returns the first remaining deadline_key, or an empty string if there is none.
    const std::string& next() const noexcept { return next_; }
    /// Returns true if that deadline_key is due.
    bool more() const noexcept { return more_; }

private:
    const std::string from_;
    std::string next_;
    bool more_ = false;
};

}  // namespace keywatch::embedded
