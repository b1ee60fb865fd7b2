// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "inbox.hpp"

#include <keywatch/message.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <vector>

namespace keywatch::watch {

/// The type of `Filter::predicate`.
using Predicate = std::function<bool(const Message&)>;

/// The messages of a commit that pass a predicate. The predicate is called for all of them before
/// the first one is delivered, so that each knows whether it is the last one. The calls can be made
/// in slices.
class Wanted {
public:
    static constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

    /// Calls the predicate for the first `first` messages. If the predicate is null, then all
    /// messages pass. Throws what the predicate throws.
    Wanted(const Commit& offered, const Predicate* predicate, std::size_t first = all);
    Wanted(Wanted&& other) noexcept;
    Wanted(const Wanted&) = delete;
    Wanted& operator=(const Wanted&) = delete;
    ~Wanted() = default;

    /// Calls the predicate for this many more messages. Returns true if all have been tested; until
    /// then no other member may be called. Throws what the predicate throws.
    bool ask(std::size_t messages);

    bool any() const noexcept { return commit_.size() > 0; }
    std::size_t left_out() const noexcept { return left_out_; }
    /// Returns the messages that passed. Valid as long as this object and the offered commit.
    /// Precondition: `any()`.
    const Commit& commit() const noexcept { return commit_; }

    /// Return, for each message that passed, its place in the commit and the first revision that it
    /// stands for. Empty if there was no predicate.
    const std::vector<std::uint32_t>& places() const noexcept { return places_; }
    const std::vector<Revision>& since() const noexcept { return since_; }

private:
    Commit offered_;
    const Predicate* predicate_;  ///< null when all messages have been tested
    std::size_t asked_ = 0;
    bool is_all_;  ///< true if there was no predicate
    Commit commit_;
    std::vector<std::uint32_t> places_;
    std::vector<Revision> since_;
    std::size_t left_out_ = 0;
};

/// The messages of a batch that pass a predicate.
struct WantedEntries {
    std::vector<Entry> entries;
    /// The exception that the predicate threw; that commit and all after it are missing.
    std::exception_ptr error;
    /// The last revision before that commit.
    Revision before_error = 0;
};
WantedEntries wanted_of(std::vector<Entry> entries, const Predicate& predicate);

}  // namespace keywatch::watch
