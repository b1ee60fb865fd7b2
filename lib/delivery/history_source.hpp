// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "batch.hpp"
#include "delivery_context.hpp"
#include "slice_reader.hpp"

#include "engine/engine.hpp"
#include "watch/coalescer.hpp"
#include "watch/delivery_fsm.hpp"

#include <keywatch/position.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <functional>
#include <memory>

namespace keywatch::delivery {

namespace asio = boost::asio;

/// Reads the next batch of a watch from history.
///
/// 1. It begins at the position of the watch, and is within the budget of its inbox, except for a
///    single larger commit.
/// 2. A sink that keeps no batches is not given one, but an open slice, whose commits it delivers
///    one by one. Anything else is a batch of entries.
///
/// Used by one coroutine, the worker.
class HistorySource {
public:
    using Action = watch::DeliveryFsm::Action;
    using Read = watch::DeliveryFsm::HistoryRead;

    /// `context` must outlive this object. `keeps_batches`: see Sink.
    HistorySource(DeliveryContext& context, bool keeps_batches);

    /// Reads as the action says, from the position to `action.revision`.
    asio::awaitable<Read> read(Action action, Batch& batch);

    // The open slice. It is valid until the next read.
    bool is_open() const noexcept { return slice_ != nullptr; }
    bool at_end() const noexcept { return next_ == slice_->commits.size(); }
    const SharedCommit& commit() const noexcept { return slice_->commits[next_]; }
    void advance() noexcept { ++next_; }
    void close() noexcept { slice_ = nullptr; }

private:
    struct Gathered {
        Read read;
        bool is_all = false;  ///< true if no more is to be gathered now
    };
    /// A function that takes what it needs from a slice.
    using Gather = std::function<Gathered(const HistorySlice&)>;

    /// Returns a slice of history. Returns null if the engine is closed.
    asio::awaitable<const HistorySlice*> read_slice(Revision after, Revision up_to);
    /// Returns the open slice if some of it is left and none of it is after `up_to`. Returns null
    /// otherwise.
    const HistorySlice* rest(Revision up_to) const noexcept;
    static Read compacted(Revision after, const HistorySlice& slice, Batch& batch);
    asio::awaitable<Read> read_each(Revision up_to, Batch& batch);
    Read select_each(const HistorySlice& slice, Batch& batch) const;
    asio::awaitable<Read> gather(Revision up_to, Batch& batch, const Gather& take);
    asio::awaitable<Read> read_newest(Revision up_to, Batch& batch);
    Gathered gather_newest(watch::Coalescer& newest, const HistorySlice& slice, Batch& batch);
    /// Reads history into one gap, up to where a bucket has ended.
    asio::awaitable<Read> read_gap(Revision up_to, Batch& batch);
    Gathered gather_gap(std::unique_ptr<watch::Marker>& gap, const HistorySlice& slice) const;

    DeliveryContext& context_;
    const bool keeps_batches_;
    SliceReader reader_;
    const HistorySlice* slice_ = nullptr;
    std::size_t next_ = 0;
};

}  // namespace keywatch::delivery
