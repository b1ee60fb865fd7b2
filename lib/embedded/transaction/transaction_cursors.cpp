// SPDX-License-Identifier: BSL-1.0
#include "transaction_workspace.hpp"

#include "values/failure.hpp"

#include <utility>

// The cursors of a transaction. History after a new position is pinned when the cursor is saved,
// not when it is durable: trimming continues meanwhile.
namespace keywatch::embedded {

const HistoryId& TransactionWorkspace::history_id() const
{
    check_usable();
    return store_.history_id();
}

std::optional<Cursor> TransactionWorkspace::cursor(std::string_view name) const
{
    check_usable();
    const auto stored = get_stored(storage::cursor_key(name));
    return stored ? std::optional(store_.cursor(name, *stored)) : std::nullopt;
}

std::vector<Cursor> TransactionWorkspace::cursors() const
{
    check_usable();
    return list_cursors(store_, {make_layer(*writes_), make_layer(state_.overlay),
                                 make_layer(store_.iterate(nullptr, true))});
}

void TransactionWorkspace::save_cursor(std::string_view name, const Position& position)
{
    check_usable();
    check_name(name);
    if (!limits_.record_messages) {
        fail(Error::watch_disabled);
    }
    if (position.history != store_.history_id()) {
        fail(Error::foreign_position);
    }
    const bool within = position.seen_of_next != 0;
    if (position.revision > state_.head || (within && position.revision == state_.head)) {
        fail(Error::position_ahead);
    }
    const Revision first_kept = store_.pins().first_kept();
    if (position.revision + 1 < first_kept) {
        throw Compacted(position.revision + 1, first_kept);
    }
    const std::optional<Cursor> before = cursor(name);
    if (before && before->position == position) {
        return;
    }
    pin(position.revision);
    const std::string value =
        storage::encode_cursor({position.revision, now(), position.seen_of_next});
    charge(name.size() + value.size() + write_overhead);
    writes_->put(storage::cursor_key(name), value);
    if (before) {
        unpins_.push_back(before->position.revision);
    }
}

bool TransactionWorkspace::delete_cursor(std::string_view name)
{
    const std::optional<Cursor> before = cursor(name);
    if (!before) {
        return false;
    }
    charge(name.size() + write_overhead);
    writes_->erase(storage::cursor_key(name));
    unpins_.push_back(before->position.revision);
    return true;
}

void TransactionWorkspace::pin(Revision revision)
{
    pinned_.push_back(revision);
    if (!store_.pins().pin(revision)) {
        pinned_.pop_back();
        throw Compacted(revision + 1, store_.pins().first_kept());
    }
}

std::vector<Revision> TransactionWorkspace::take_unpins() noexcept
{
    pinned_.clear();
    return std::move(unpins_);
}

void TransactionWorkspace::finish() noexcept
{
    WorkspaceBase::finish();
    for (const Revision each : pinned_) {
        store_.pins().unpin(each);
    }
    pinned_.clear();
}

}  // namespace keywatch::embedded
