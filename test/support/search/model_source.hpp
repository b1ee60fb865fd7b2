// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "delivery_world.hpp"

#include "watch/coalescer.hpp"
#include "watch/delivery_fsm.hpp"
#include "watch/marker.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace keywatch::test {

/// The batch of the worker of a DeliveryModel, and the places where it comes from: inbox, history
/// and snapshot.
class ModelSource {
public:
    explicit ModelSource(DeliveryWorld& world) : world_(world) {}

    // The entries of a batch, if it is no slice.
    std::vector<watch::Entry> entries = {};
    std::size_t next = 0;
    /// The commit of history with which a bucket has ended; null if none has.
    watch::SharedCommit ends_bucket = nullptr;

    /// Empties the inbox. What `machine` knows must not be in it.
    watch::DeliveryFsm::InboxTaken take_inbox(const watch::DeliveryFsm& machine,
                                              watch::Signals& signals);
    watch::DeliveryFsm::StateRead read_state();
    /// Reads a slice. Returns nothing if more of them are to be read first.
    std::optional<watch::DeliveryFsm::HistoryRead> read_history(
        const watch::DeliveryFsm::Action& action, Revision position);
    void make_progress_marker(Revision position);

    /// A slice of history is delivered commit by commit as it is, without a batch.
    bool has_slice() const noexcept { return slice_open_ && entries.empty(); }
    bool slice_is_over() const noexcept { return slice_next_ > slice_reached_; }
    const SharedRecord& slice_commit() const { return world_.history.commit(slice_next_); }
    void advance_slice() noexcept { ++slice_next_; }
    void close_slice() noexcept { slice_open_ = false; }

    template <class Out>
    void describe(Out out) const
    {
        out(entries.size(), next, ends_bucket ? ends_bucket->revision : 0);
        for (std::size_t at = next; at < entries.size(); ++at) {
            entries[at].describe(out);
        }
        out(slice_open_, slice_next_, slice_reached_, gathered_.has_value(), gathered_.value_or(0));
        out(state_, state_parts_);
    }

private:
    using HistoryRead = watch::DeliveryFsm::HistoryRead;

    void clear();
    bool is_compacted(Revision after) const noexcept { return after + 1 < world_.oldest; }
    HistoryRead read_each(Revision up_to, Revision position);
    void select_slice(HistoryRead& read, Revision position);
    HistoryRead finish_gathering(HistoryRead read, bool gap);
    /// Returns true if that is all.
    bool gather_newest(HistoryRead& read, Revision reached);
    bool gather_gap(HistoryRead& read, Revision reached);

    DeliveryWorld& world_;
    bool slice_open_ = false;
    Revision slice_next_ = 1;
    Revision slice_reached_ = 0;

    /// How far it has gathered what is to be one batch, if it does.
    std::optional<Revision> gathered_;
    std::unique_ptr<watch::Coalescer> newest_;
    std::unique_ptr<watch::Marker> gap_;

    Revision state_ = 0;
    int state_parts_ = 0;  ///< that have been read
};

}  // namespace keywatch::test
