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

/// `Filter::predicate`.
using Predicate = std::function<bool(const Message&)>;

/// What a predicate leaves of the messages of a commit. It is asked about all of them before the
/// first one is delivered, so that each knows whether it is the last one. That may be done in
/// slices.
class Wanted {
public:
    static constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

    /// Null: all are left. Asks about so many messages at first. Throws what the predicate throws.
    Wanted(const Commit& offered, const Predicate* predicate, std::size_t first = all);
    Wanted(Wanted&& other) noexcept;
    Wanted(const Wanted&) = delete;
    Wanted& operator=(const Wanted&) = delete;
    ~Wanted() = default;

    /// Asks about so many more. Returns whether all have been asked about: before that nothing else
    /// may be called. Throws what the predicate throws.
    bool ask(std::size_t messages);

    bool any() const noexcept { return commit_.size() > 0; }
    std::size_t left_out() const noexcept { return left_out_; }
    /// Valid as long as this object and what was offered are. Precondition: there are any.
    const Commit& commit() const noexcept { return commit_; }

    /// Of each that is left, its place in the commit and the first revision that it stands for.
    /// Empty if there was no predicate.
    const std::vector<std::uint32_t>& places() const noexcept { return places_; }
    const std::vector<Revision>& since() const noexcept { return since_; }

private:
    Commit offered_;
    const Predicate* predicate_;  ///< null if there is nothing to be asked any more
    std::size_t asked_ = 0;
    bool is_all_;  ///< whether nothing was asked
    Commit commit_;
    std::vector<std::uint32_t> places_;
    std::vector<Revision> since_;
    std::size_t left_out_ = 0;
};

/// What a predicate leaves of a batch.
struct WantedEntries {
    std::vector<Entry> entries;
    /// What it threw; nothing from that commit on is there.
    std::exception_ptr error;
    /// The last revision before that commit.
    Revision before_error = 0;
};
WantedEntries wanted_of(std::vector<Entry> entries, const Predicate& predicate);

}  // namespace keywatch::watch
