// SPDX-License-Identifier: BSL-1.0
#include "state_reader.hpp"

#include "state_record.hpp"

#include "embedded/transaction/merged_iterator.hpp"
#include "embedded/transaction/workspace_base.hpp"
#include "structures/scan/selected_ranges.hpp"
#include "values/failure.hpp"

#include <utility>

namespace keywatch::embedded {

namespace {

constexpr Structure structures_in_order[] = {Structure::btree, Structure::list, Structure::set,
                                             Structure::sorted_set};

storage::BucketId id_of(std::string_view stored)
{
    const auto entry = storage::decode_bucket(stored);
    if (!entry) {
        fail(Error::damaged, "a bucket has no number");
    }
    return entry->id;
}

}  // namespace

StateReader::StateReader(const storage::Store& store, const MonotonicClock& clock,
                         const BegunTransactions& begun, const Selectors& selectors)
    : store_(store),
      selectors_(selectors),
      now_(clock.now()),  // read before the snapshot: see BegunTransactions
      snapshot_(store.snapshot()),
      revision_(store.revision(*snapshot_)),
      names_(structures::selected_buckets(selectors)),
      next_bucket_key_(1, storage::bucket_area)
{
    const std::optional<Time> made = store.time_of(revision_, *snapshot_);
    time_ = made.value_or(now_);
    if (!begun.none_after(revision_)) {
        now_ = made.value_or(Time::min());
    }
}

std::shared_ptr<const CommitRecord> StateReader::next(const SliceLimits& limits,
                                                      std::shared_ptr<const CommitRecord> used)
{
    StateRecord record(limits, std::move(used));
    record.begin(revision_, time_, next_index_);
    for (const Message* message = current(); message != nullptr; message = current()) {
        if (!record.add(*message, bucket_)) {
            break;
        }
        advance();
    }
    if (walk_) {
        walk_->release();
    }
    next_index_ = record.next_index();
    return record.empty() ? nullptr : record.take();
}

/// Returns null if no message remains.
const Message* StateReader::current()
{
    while (walk_ || open_bucket()) {
        if (created_) {
            return &*created_;
        }
        if (walk_->valid()) {
            return &walk_->message();
        }
        walk_.reset();
    }
    return nullptr;
}

void StateReader::advance()
{
    if (created_) {
        created_.reset();
    } else {
        walk_->next();
    }
}

bool StateReader::open_bucket()
{
    return names_ ? open_next_named() : open_next_stored();
}

bool StateReader::open_next_named()
{
    for (; next_name_ < names_->size() * std::size(structures_in_order); ++next_name_) {
        const Structure structure = structures_in_order[next_name_ / names_->size()];
        const std::string& name = (*names_)[next_name_ % names_->size()];
        const auto stored = store_.get(storage::bucket_key(structure, name), snapshot_.get());
        if (stored) {
            open(structure, name, id_of(*stored));
            ++next_name_;
            return true;
        }
    }
    return false;
}

bool StateReader::open_next_stored()
{
    const auto iterator = store_.iterate(snapshot_.get(), false);
    iterator->Seek(next_bucket_key_);
    if (!iterator->Valid()) {
        return false;
    }
    const std::string_view key(iterator->key().data(), iterator->key().size());
    const auto bucket = storage::parse_bucket_key(key);
    if (!bucket) {
        return false;
    }
    open(bucket->first, std::string(bucket->second),
         id_of({iterator->value().data(), iterator->value().size()}));
    next_bucket_key_ = std::string(key) + '\0';
    return true;
}

void StateReader::open(Structure structure, std::string name, storage::BucketId id)
{
    bucket_ = std::move(name);
    structures::SelectedRanges wanted = structures::selected_ranges(selectors_, bucket_);
    if (wanted.whole) {
        created_.emplace();
        created_->structure = structure;
        created_->operation = Operation::bucket_created;
    }
    const auto space = [this, prefix = storage::data_prefix(id)] {
        // Data that is read once is not worth its place in the cache.
        return std::make_shared<MergedIterator>(
            prefix, MergedIterator::Layers{make_layer(store_.iterate(snapshot_.get(), false))});
    };
    walk_ = structures::scan_state(structure, space, std::move(wanted.intervals), now_);
}

}  // namespace keywatch::embedded
