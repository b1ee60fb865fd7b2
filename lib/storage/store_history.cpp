// SPDX-License-Identifier: BSL-1.0
#include "failure.hpp"
#include "history_reader.hpp"
#include "store_impl.hpp"

#include "values/failure.hpp"

#include <algorithm>

namespace keywatch::storage {

namespace {

constexpr std::size_t first_slab_bytes = std::size_t{64} << 10;

/// Throws `damaged`: records before this one are missing, or their table cannot be read.
[[noreturn]] void gap(Revision revision)
{
    fail(Error::damaged, "history lacks records before revision " + std::to_string(revision));
}

/// The used part of a slice's limits. Sizes are differences of running totals, so the size of a
/// record is known before it is copied. Only the size of the first record must be counted.
class Fill {
public:
    explicit Fill(const SliceLimits& limits) : limits_(limits) {}

    bool has_room(const Totals& through) const
    {
        return !begun_ || (through.messages - before_.messages <= limits_.messages &&
                           through.bytes - before_.bytes <= limits_.bytes);
    }

    void add(const Totals& through, const CommitRecord& record)
    {
        if (!begun_) {
            before_ = {through.messages - record.messages.size(),
                       through.bytes - record.bytes.size()};
            begun_ = true;
        }
    }

private:
    SliceLimits limits_;
    bool begun_ = false;
    Totals before_;
};

}  // namespace

std::optional<Time> Store::time_of(Revision revision, const StoreSnapshot& snapshot) const
{
    HistoryReader reader(iterate(&snapshot, false));
    reader.seek(revision);
    return reader.valid() && reader.revision() == revision ? std::optional(reader.header().time)
                                                           : std::nullopt;
}

HistorySlice Store::read_history(Revision after, Revision up_to, const SliceLimits& limits) const
{
    HistorySlice slice;
    slice.reached = after;
    if (after >= up_to) {
        return slice;
    }
    const StoreSnapshot snapshot(*impl_->db);
    const Revision oldest = impl_->oldest(snapshot.get());
    if (after + 1 < oldest) {
        slice.compacted = oldest;
        return slice;
    }
    HistoryReader reader(impl_->iterate(snapshot.get(), false));
    Fill fill(limits);
    const auto slab = limits.together ? std::make_shared<Slab>(first_slab_bytes) : nullptr;
    reader.seek(after + 1);
    while (reader.valid() && slice.reached < up_to) {
        const Revision revision = reader.revision();
        const RecordHeader header = reader.header();
        // The first record may follow a commit older than `after`: `after` need not be the revision
        // of a commit.
        if (slice.commits.empty() ? header.previous > after : header.previous != slice.reached) {
            gap(revision);
        }
        if (revision > up_to) {
            slice.reached = up_to;  // there is no commit in between
            return slice;
        }
        if (!fill.has_room(header.totals)) {
            return slice;
        }
        auto record = slab && reader.is_short()
                          ? decode_record(revision, reader.take(slab.get()), slab)
                          : decode_record(revision, reader.take());
        if (!record) {
            fail(Error::damaged, "history record " + std::to_string(revision) + " cannot be read");
        }
        fill.add(header.totals, *record);
        slice.commits.push_back(std::move(record));
        slice.reached = revision;
    }
    return slice;
}

std::optional<Store::Unseen> Store::unseen(Revision seen, const Totals& before_oldest) const
{
    HistoryReader reader(impl_->iterate(nullptr, false));
    Unseen unseen{before_oldest, {}};
    reader.seek(seen);
    if (reader.valid() && reader.revision() == seen) {
        unseen.before = reader.header().totals;
        reader.skip();
    }
    if (!reader.valid()) {
        return std::nullopt;
    }
    unseen.first = reader.header().time;
    return unseen;
}

void Store::put_record(Batch& batch, Revision revision, std::string_view record)
{
    for (std::size_t part = 0; part < record_parts(record.size()); ++part) {
        batch.put(history_key(revision, static_cast<std::uint16_t>(part)),
                  record.substr(part * max_part_bytes, max_part_bytes));
    }
}

}  // namespace keywatch::storage
