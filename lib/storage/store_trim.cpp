// SPDX-License-Identifier: BSL-1.0
#include "failure.hpp"
#include "history_reader.hpp"
#include "store_impl.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace keywatch::storage {

namespace {

std::uint64_t kept_bytes(const HistoryState& state)
{
    return state.newest_totals.bytes - state.before_oldest.bytes;
}

/// "For ever" may be given as an age that microseconds cannot hold.
constexpr std::chrono::seconds longest_age = std::chrono::hours{24 * 365 * 1000};

bool keeps_too_much(const HistoryState& state, const HistoryLimits& keep, Time now)
{
    return now - state.oldest_time > std::min(keep.age, longest_age) ||
           kept_bytes(state) > keep.bytes || state.newest - state.oldest + 1 > keep.commits;
}

/// Whether the oldest record may and should go.
bool should_trim(const HistoryState& state, const HistoryLimits& keep,
                 std::optional<Revision> pinned, Time now)
{
    if (state.oldest >= state.newest) {
        return false;
    }
    if (kept_bytes(state) > keep.hard_bytes) {
        return true;
    }
    return (!pinned || state.oldest < *pinned) && keeps_too_much(state, keep, now);
}

void erase_record(Batch& batch, Revision revision, std::uint16_t parts)
{
    for (std::uint16_t part = 0; part < parts; ++part) {
        batch.erase(history_key(revision, part));
    }
}

/// Adds the removal of records before `end` to the batch. Gives how many there were, at most
/// `most`; the reader then stands on the next one.
std::size_t erase_before(HistoryReader& reader, Revision end, std::size_t most, Batch& batch)
{
    std::size_t removed = 0;
    while (removed < most && reader.valid() && reader.revision() < end) {
        erase_record(batch, reader.revision(), reader.header().parts);
        reader.skip();
        ++removed;
    }
    return removed;
}

}  // namespace

std::size_t Store::trim(HistoryState& state, const HistoryLimits& keep,
                        std::optional<Revision> pinned, Time now, std::size_t most)
{
    const bool overtaken = impl_->trim_from < state.oldest;
    if (!overtaken && !should_trim(state, keep, pinned, now)) {
        return 0;
    }
    Batch batch;
    HistoryState next = state;
    HistoryReader reader(iterate(nullptr, false));
    // Never from the front of the area: what was trimmed before would have to be stepped over.
    reader.seek(impl_->trim_from);
    std::size_t removed = overtaken ? erase_before(reader, state.oldest, most, batch) : 0;
    const bool more = reader.valid() && reader.revision() < state.oldest;
    const Revision trim_from = more ? reader.revision() : state.oldest;
    while (!more && removed < most && should_trim(next, keep, pinned, now)) {
        if (!reader.valid() || reader.revision() != next.oldest) {
            fail(Error::damaged, "history has a hole at revision " + std::to_string(next.oldest));
        }
        next.before_oldest = reader.header().totals;
        erase_record(batch, next.oldest, reader.header().parts);
        reader.skip();
        if (!reader.valid()) {
            fail(Error::damaged, "history ends before revision " + std::to_string(next.newest));
        }
        next.oldest = reader.revision();
        next.oldest_time = reader.header().time;
        ++removed;
    }
    if (removed != 0) {
        batch.put(oldest_key, encode_number(more ? trim_from : next.oldest));
        write(batch, false);
    }
    impl_->trim_from = more ? trim_from : next.oldest;
    state = next;
    return removed;
}

}  // namespace keywatch::storage
