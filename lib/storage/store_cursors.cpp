// SPDX-License-Identifier: BSL-1.0
#include "failure.hpp"
#include "history_reader.hpp"
#include "store_impl.hpp"

#include "values/failure.hpp"

#include <chrono>

// Cursors and their lag.
namespace keywatch::storage {

namespace {

/// Computes the lag of cursors within one snapshot.
class Lags {
public:
    Lags(HistoryReader& history, Revision oldest, Revision head)
        : history_(history), oldest_(oldest), head_(head)
    {
        if (oldest_ <= head_) {
            before_oldest_ = before(oldest_);
            newest_ = through(head_);
        }
    }

    CursorLag of(Cursor cursor, Time now)
    {
        const Revision position = cursor.position.revision;
        CursorLag lag;
        lag.age = now - cursor.saved;
        lag.cursor = std::move(cursor);
        lag.revisions = head_ - position;
        lag.compacted = position + 1 < oldest_;
        const Totals seen = position < oldest_ ? before_oldest_ : through(position);
        lag.messages = newest_.messages - seen.messages;
        lag.bytes = newest_.bytes - seen.bytes;
        return lag;
    }

private:
    Totals through(Revision revision)
    {
        history_.seek(revision);
        if (!history_.valid() || history_.revision() != revision) {
            fail(Error::damaged, "history has a hole at revision " + std::to_string(revision));
        }
        return history_.header().totals;
    }

    Totals before(Revision revision)
    {
        const Totals totals = through(revision);
        const auto record = decode_record(revision, history_.take());
        if (!record) {
            fail(Error::damaged, "history record " + std::to_string(revision) + " cannot be read");
        }
        return {totals.messages - record->messages.size(), totals.bytes - record->bytes.size()};
    }

    HistoryReader& history_;
    const Revision oldest_;
    const Revision head_;
    Totals before_oldest_;
    Totals newest_;
};

}  // namespace

HistoryPins& Store::pins() const noexcept
{
    return *impl_->pins;
}

Cursor Store::cursor(std::string_view name, std::string_view stored) const
{
    const auto entry = decode_cursor(stored);
    if (!entry) {
        fail(Error::damaged, "a cursor entry is malformed");
    }
    return {std::string(name), {history_id_, entry->position, entry->seen_of_next}, entry->saved};
}

std::vector<CursorLag> Store::cursor_lags(Time now) const
{
    std::vector<CursorLag> found;
    const StoreSnapshot snapshot(*impl_->db);
    const auto iterator = iterate(&snapshot, true);
    std::optional<HistoryReader> history;
    std::optional<Lags> lags;
    for (iterator->Seek(leveldb::Slice(&cursor_area, 1));
         iterator->Valid() && iterator->key()[0] == cursor_area; iterator->Next()) {
        if (!lags) {
            history.emplace(impl_->iterate(snapshot.get(), true));
            lags.emplace(*history, impl_->oldest(snapshot.get()), revision(snapshot));
        }
        const std::string_view key(iterator->key().data(), iterator->key().size());
        const std::string_view value(iterator->value().data(), iterator->value().size());
        found.push_back(lags->of(cursor(key.substr(1), value), now));
    }
    return found;
}

}  // namespace keywatch::storage
