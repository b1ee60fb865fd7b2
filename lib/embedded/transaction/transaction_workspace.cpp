// SPDX-License-Identifier: BSL-1.0
#include "transaction_workspace.hpp"

#include "values/failure.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace keywatch::embedded {

using storage::CatalogueChange;

namespace {

std::optional<std::string> owned(const WriteSet::Value& value)
{
    return value ? std::optional<std::string>(*value) : std::nullopt;
}

}  // namespace

TransactionWorkspace::TransactionWorkspace(const storage::Store& store, const WriterState& state,
                                           const Limits& limits, const MonotonicClock& clock)
    : store_(store), state_(state), limits_(limits), clock_(clock), next_bucket_(state.next_bucket)
{
}

Revision TransactionWorkspace::revision() const
{
    check_usable();
    return state_.head;
}

std::optional<storage::BucketId> TransactionWorkspace::find_bucket(Structure structure,
                                                                   std::string_view name) const
{
    if (!touched_.empty()) {
        const auto at = touched_.find({structure, std::string(name)});
        if (at != touched_.end()) {
            return at->second;
        }
    }
    return state_.catalogue.find(structure, name);
}

std::vector<Bucket> TransactionWorkspace::buckets() const
{
    check_usable();
    storage::Catalogue catalogue = state_.catalogue;
    catalogue.apply(changes_);
    return catalogue.list();
}

Time TransactionWorkspace::now() const
{
    if (!now_) {
        now_ = clock_.now();
    }
    return *now_;
}

bool TransactionWorkspace::has_deadlines(structures::BucketIndex bucket) const
{
    const KnownBucket& known = this->known(bucket);
    return known.deadlines || state_.catalogue.has_deadlines(known.id);
}

std::optional<std::string> TransactionWorkspace::get(structures::BucketIndex bucket,
                                                     std::string_view key) const
{
    return get_stored(full_key(bucket, key));
}

std::optional<std::string> TransactionWorkspace::get_stored(std::string_view full) const
{
    if (const auto own = writes_->map().find(full); own != writes_->map().end()) {
        return owned(own->second);
    }
    const Overlay::Map& executed = state_.overlay.map();
    if (const auto at = executed.find(full); at != executed.end()) {
        return owned(at->second.value);
    }
    return store_.get(full, nullptr);
}

std::shared_ptr<structures::KeyIterator> TransactionWorkspace::iterate(
    structures::BucketIndex bucket) const
{
    check_usable();
    const bool overlaid = !state_.overlay.map().empty();
    return make_iterator(bucket,
                         {make_layer(*writes_), overlaid ? make_layer(state_.overlay) : nullptr,
                          make_layer(store_.iterate(nullptr, true))});
}

void TransactionWorkspace::create_bucket(Structure structure, std::string_view name)
{
    check_usable();
    check_name(name);
    if (find_bucket(structure, name)) {
        fail(Error::bucket_exists, std::string(to_string(structure)) + " " + std::string(name));
    }
    if (next_bucket_ == std::numeric_limits<storage::BucketId>::max()) {
        fail(Error::storage_failed, "all bucket ids are used up");
    }
    charge(name.size() + write_overhead);
    const storage::BucketId id = next_bucket_++;
    touched_[{structure, std::string(name)}] = id;
    changes_.push_back({structure, std::string(name), id, CatalogueChange::Kind::created});
    Message message;
    message.operation = Operation::bucket_created;
    record_bucket(structure, name, message);
}

void TransactionWorkspace::delete_bucket(Structure structure, std::string_view name)
{
    check_usable();
    const auto id = find_bucket(structure, name);
    if (!id) {
        fail(Error::bucket_not_found, std::string(to_string(structure)) + " " + std::string(name));
    }
    charge(name.size() + write_overhead);
    touched_[{structure, std::string(name)}] = std::nullopt;
    changes_.push_back({structure, std::string(name), *id, CatalogueChange::Kind::deleted});
    orphans_.push_back(storage::data_prefix(*id));
    for (KnownBucket& each : known_buckets()) {
        each.deleted = each.deleted || each.id == *id;
    }
    constexpr std::array all{Structure::btree, Structure::list, Structure::set,
                             Structure::sorted_set};
    Message message;
    message.operation = Operation::bucket_deleted;
    message.ends_bucket = std::ranges::none_of(
        all, [&](Structure other) { return find_bucket(other, name).has_value(); });
    record_bucket(structure, name, message);
}

void TransactionWorkspace::set_origin(std::string_view origin)
{
    check_usable();
    if (origin.size() > max_name_bytes) {
        fail(Error::invalid_name);
    }
    record_.set_origin(origin);
}

void TransactionWorkspace::put(structures::BucketIndex bucket, std::string_view key,
                               std::string_view value)
{
    charge(key.size() + value.size() + write_overhead);
    writes_->put(full_key(bucket, key), value);
}

void TransactionWorkspace::erase(structures::BucketIndex bucket, std::string_view key)
{
    charge(key.size() + write_overhead);
    writes_->erase(full_key(bucket, key));
}

void TransactionWorkspace::drop(structures::BucketIndex bucket, std::string_view prefix)
{
    charge(prefix.size() + write_overhead);
    orphans_.emplace_back(full_key(bucket, prefix));
    writes_->put(storage::orphan_key(orphans_.back()), {});
}

void TransactionWorkspace::move_deadline(structures::BucketIndex bucket, std::string_view key,
                                         std::optional<Time> before, std::optional<Time> after)
{
    if (before == after) {
        return;
    }
    charge((before && after ? 2 : 1) * (key.size() + write_overhead));
    const std::string_view data_key = full_key(bucket, key);
    if (before) {
        writes_->erase(storage::deadline_key(*before, data_key));
    }
    if (after) {
        writes_->put(storage::deadline_key(*after, data_key), {});
        earliest_deadline_ = std::min(earliest_deadline_.value_or(*after), *after);
    }
    if (KnownBucket& known = this->known(bucket); after && !has_deadlines(bucket)) {
        known.deadlines = true;
        changes_.push_back(
            {known.structure, known.name, known.id, CatalogueChange::Kind::got_deadlines});
    }
}

TransactionWorkspace::Due TransactionWorkspace::due(std::string_view from, std::size_t most) const
{
    check_usable();
    const bool overlaid = !state_.overlay.map().empty();
    MergedIterator iterator(std::string(1, storage::deadline_area),
                            {overlaid ? make_layer(state_.overlay) : nullptr,
                             make_layer(store_.iterate(nullptr, false))});
    Due due;
    for (iterator.seek(from.substr(1)); iterator.valid(); iterator.next()) {
        std::string key(1, storage::deadline_area);
        key += iterator.key();
        const auto deadline = storage::parse_deadline_key(key);
        if (!deadline) {
            break;  // deadline_end_key
        }
        if (deadline->time > now() || due.keys.size() == most) {
            due.next = std::move(key);
            break;
        }
        due.keys.push_back(std::move(key));
    }
    return due;
}

std::optional<std::pair<Structure, structures::BucketIndex>> TransactionWorkspace::expiring(
    storage::BucketId id)
{
    const std::optional<Bucket> found = state_.catalogue.find_expiring(id);
    return found ? std::optional(std::pair(found->structure, bucket(found->structure, found->name)))
                 : std::nullopt;
}

void TransactionWorkspace::forget_deadline(std::string_view deadline_key)
{
    charge(deadline_key.size() + write_overhead);
    writes_->erase(deadline_key);
}

void TransactionWorkspace::record(structures::BucketIndex bucket, const Message& message)
{
    expired_ += message.cause == Cause::expired ? 1 : 0;
    if (!limits_.record_messages) {
        return;
    }
    KnownBucket& known = this->known(bucket);
    if (!known.in_record) {
        known.in_record = record_.bucket(known.name);
    }
    require_room(message.key.size() + message.value.size() +
                 (message.previous ? message.previous->size() : 0));
    Message complete = message;
    complete.structure = known.structure;
    record_.add(*known.in_record, complete);
}

void TransactionWorkspace::record_bucket(Structure structure, std::string_view name,
                                         const Message& message)
{
    if (!limits_.record_messages) {
        return;
    }
    Message complete = message;
    complete.structure = structure;
    record_.add(record_.bucket(name), complete);
}

void TransactionWorkspace::charge(std::size_t bytes)
{
    require_room(bytes);
    bytes_ += bytes;
}

void TransactionWorkspace::require_room(std::size_t bytes)
{
    check_usable();
    if (bytes > limits_.max_bytes || this->bytes() > limits_.max_bytes - bytes) {
        too_large_ = true;
        fail(Error::transaction_too_large);
    }
}

void TransactionWorkspace::check_size() const
{
    if (too_large_) {
        fail(Error::transaction_too_large);
    }
}

bool TransactionWorkspace::changed_anything() const noexcept
{
    return !writes_->map().empty() || !changes_.empty();
}

void TransactionWorkspace::write_to(storage::Batch& batch) const
{
    for (const auto& [key, value] : writes_->map()) {
        if (value) {
            batch.put(key, *value);
        } else {
            batch.erase(key);
        }
    }
    for (const storage::CatalogueChange& each : changes_) {
        const std::string key = storage::bucket_key(each.structure, each.name);
        switch (each.kind) {
        case CatalogueChange::Kind::created:
            batch.put(key, storage::encode_bucket({each.id, false}));
            break;
        case CatalogueChange::Kind::got_deadlines:
            batch.put(key, storage::encode_bucket({each.id, true}));
            batch.put(storage::deadline_end_key, {});
            break;
        case CatalogueChange::Kind::deleted:
            batch.erase(key);
            batch.put(storage::orphan_key(storage::data_prefix(each.id)), {});
            break;
        }
    }
    if (next_bucket_ != state_.next_bucket) {
        batch.put(storage::next_bucket_key, storage::encode_number(next_bucket_));
    }
}

}  // namespace keywatch::embedded
