// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "delivery_world.hpp"

#include "watch/distributor.hpp"

#include <cstddef>
#include <cstdint>
#include <set>

namespace keywatch::test {

/// The strand of a DeliveryModel: routes commits in slices, as the pipeline does, and in between
/// does what it is asked for. Each step returns true if the worker must be started.
class ModelStrand {
public:
    explicit ModelStrand(DeliveryWorld& world);

    bool can_route() const;
    bool can_lose_commit() const;
    bool can_change() const;
    /// After its last push the strand writes R, and nothing of it comes in between.
    bool can_turn() const noexcept { return at_ != At::pushed; }
    bool has_victim() const noexcept { return victim_; }

    bool route();
    /// A commit is not routed: everything falls behind.
    bool lose_commit();
    bool change();
    bool note();
    bool tell_victim();

    template <class Out>
    void describe(Out out) const
    {
        out(next_, at_, slices_, in_index_at_begin_, starved_at_begin_, wake_, victim_);
        out(wake_at_.size());
        for (const Revision each : wake_at_) {
            out(each);
        }
    }

private:
    enum class At : std::uint8_t { idle, routing, pushed };

    void begin(Revision revision);
    bool route_slice();
    bool write_routed();
    bool is_indexed() const;

    DeliveryWorld& world_;
    watch::Distributor distributor_;
    /// Gets the same commits, after the watch.
    const watch::SharedSubscription bystander_;
    Revision next_;
    At at_ = At::idle;
    std::size_t slices_ = 0;  ///< of the commit that is being routed
    std::uint64_t entries_before_ = 0;
    bool in_index_at_begin_ = false;
    bool starved_at_begin_ = false;
    bool wake_ = false;
    bool victim_ = false;
    std::set<Revision> wake_at_;
};

}  // namespace keywatch::test
