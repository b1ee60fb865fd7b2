// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "slice_reader.hpp"

#include "watch/inbox.hpp"
#include "watch/wanted.hpp"

#include <cstddef>
#include <exception>
#include <optional>
#include <vector>

namespace keywatch::pipeline {

/// The entries to deliver next, from the inbox, from history or from a snapshot, and how many of
/// them have been delivered.
struct Batch {
    std::vector<watch::Entry> entries;
    /// The commit of history that ended a bucket. Null if none did.
    watch::SharedCommit ends_bucket = nullptr;
    /// The exception with which the watch ends once the entries have been delivered: what the
    /// predicate threw, or `Compacted`.
    std::exception_ptr error = nullptr;

    std::size_t next = 0;
    /// The messages of the next entry that pass the predicate, if its delivery has begun, and for
    /// how many of them the callback has returned.
    std::optional<watch::Wanted> begun = {};
    std::size_t messages = 0;

    void clear() noexcept
    {
        entries.clear();
        ends_bucket.reset();
        error = nullptr;
        next = 0;
        begun.reset();
        messages = 0;
    }
};

/// A worker's place in history: a slice whose commits are delivered one by one directly from the
/// slice, without a batch. Used by one coroutine.
class HistoryCursor {
public:
    HistoryCursor(engine::Engine& engine, engine::SliceLimits limits) : reader_(engine, limits) {}

    SliceReader& reader() noexcept { return reader_; }

    /// Opens this slice, which is valid until the reader reads the next one.
    void open(const engine::HistorySlice& slice) noexcept
    {
        slice_ = &slice;
        next_ = 0;
    }
    void close() noexcept { slice_ = nullptr; }
    bool is_open() const noexcept { return slice_ != nullptr; }

    /// Returns the slice if some of it is left and none of it is after `up_to`. Returns null
    /// otherwise.
    const engine::HistorySlice* rest(Revision up_to) const noexcept
    {
        return slice_ && !at_end() && slice_->reached <= up_to ? slice_ : nullptr;
    }
    bool at_end() const noexcept { return next_ == slice_->commits.size(); }
    const watch::SharedCommit& commit() const noexcept { return slice_->commits[next_]; }
    void advance() noexcept { ++next_; }

private:
    SliceReader reader_;
    const engine::HistorySlice* slice_ = nullptr;
    std::size_t next_ = 0;
};

}  // namespace keywatch::pipeline
