// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "delivery_scenario.hpp"

#include "support/watch/commits.hpp"
#include "watch/entry.hpp"

#include <keywatch/message.hpp>
#include <keywatch/selector.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace keywatch::test {

/// The commits of a scenario, and what of them is for its watch. Immutable, so that all models of a
/// search share one.
class DeliveryHistory {
public:
    explicit DeliveryHistory(const DeliveryScenario& scenario);

    Revision head() const noexcept { return commits_.size(); }
    const SharedRecord& commit(Revision revision) const { return commits_[revision - 1]; }
    Selectors selectors() const;
    bool has_predicate() const noexcept { return has_predicate_; }

    /// The commits to be delivered after a start.
    struct Expected {
        std::vector<Revision> revisions;
        bool loses_all = false;  ///< the last one ends the watch
        Revision fails_at = 0;   ///< the predicate throws at this one, which ends it too
    };
    Expected expected_after(Revision start) const;

    /// Returns true if a message of the one stands for the other under Overflow::latest.
    bool is_same_element(Revision one, Revision other) const;

private:
    char letter(Revision revision) const { return scenario_.commits[revision - 1]; }
    bool starts_within(Revision revision) const;

    const DeliveryScenario& scenario_;
    std::vector<SharedRecord> commits_;
    bool has_predicate_;
};

/// The predicate of a watch whose commits have a letter for it.
bool predicate_of_model(const Message& message);

/// Keeps account of what a watch has been given, and checks it.
class DeliveryLedger {
public:
    DeliveryLedger(const DeliveryScenario& scenario, const DeliveryHistory& history);

    /// The watch has been given this. Throws std::logic_error if it should not have been.
    void account_for(const watch::Entry& entry);
    /// The first revision that is to be delivered and was neither delivered nor skipped.
    std::optional<Revision> missing() const;
    /// Returns true if the watch has a start: a snapshot has been delivered, if it begins with one.
    bool has_begun() const noexcept { return begun_; }
    /// Returns true if everything has been delivered.
    bool is_complete() const { return begun_ && !missing(); }
    const DeliveryHistory::Expected& expected() const noexcept { return expected_; }
    /// The last revision that was delivered.
    Revision newest() const noexcept { return newest_; }

    template <class Out>
    void describe(Out out) const
    {
        out(delivered_, begun_, newest_);
    }

private:
    void account_for_change(const watch::Entry& entry, const Message& first);

    const DeliveryScenario& scenario_;
    const DeliveryHistory& history_;
    DeliveryHistory::Expected expected_;
    std::uint64_t delivered_ = 0;  ///< a bit a revision
    bool begun_ = false;
    Revision newest_ = 0;
};

/// Throws std::logic_error if it does not hold.
void require(bool holds, const char* otherwise);

}  // namespace keywatch::test
