// SPDX-License-Identifier: BSL-1.0
#include "store.hpp"

#include "failure.hpp"
#include "store_impl.hpp"

#include <algorithm>

namespace keywatch::storage {

Store::Store() = default;
Store::~Store() = default;

std::optional<std::string> Store::get(std::string_view key, const StoreSnapshot* snapshot) const
{
    leveldb::ReadOptions options;
    options.snapshot = snapshot != nullptr ? snapshot->get() : nullptr;
    options.verify_checksums = true;
    std::string value;
    const leveldb::Status status = impl_->db->Get(options, {key.data(), key.size()}, &value);
    if (status.IsNotFound()) {
        return std::nullopt;
    }
    check_read(status);
    return value;
}

std::unique_ptr<leveldb::Iterator> Store::iterate(const StoreSnapshot* snapshot,
                                                  bool fill_cache) const
{
    return impl_->iterate(snapshot != nullptr ? snapshot->get() : nullptr, fill_cache);
}

std::optional<Time> Store::first_deadline(Time from) const
{
    const auto iterator = iterate(nullptr, false);
    iterator->Seek(deadline_keys_from(from));
    check_read(iterator->status());
    if (!iterator->Valid()) {
        return std::nullopt;
    }
    const auto deadline = parse_deadline_key({iterator->key().data(), iterator->key().size()});
    return deadline ? std::optional(deadline->time) : std::nullopt;
}

std::unique_ptr<StoreSnapshot> Store::snapshot() const
{
    return std::make_unique<StoreSnapshot>(*impl_->db);
}

Revision Store::revision(const StoreSnapshot& snapshot) const
{
    const auto iterator = iterate(&snapshot, true);
    const Revision overtaken = impl_->number(head_key, snapshot.get()).value_or(0);
    return std::max(impl_->newest_record(*iterator), overtaken);
}

void Store::write(Batch& batch, bool sync)
{
    if (impl_->read_only) {
        fail(Error::read_only, "it was opened with Options::read_only");
    }
    const std::lock_guard lock(impl_->writing);
    if (failed()) {
        fail(Error::storage_failed, "an earlier write failed");
    }
    leveldb::WriteOptions options;
    options.sync = sync;
    leveldb::Status status;
    try {
        status = impl_->db->Write(options, &batch.batch_);
    } catch (...) {  // LevelDB is not made for exceptions: nobody knows what it has done
        failed_.store(true, std::memory_order_release);
        throw;
    }
    impl_->table.notice(impl_->environment.logs_created());
    impl_->table.bytes.fetch_add(batch.memory_bytes(), std::memory_order_relaxed);
    if (!status.ok() || impl_->environment.close_failed()) {
        failed_.store(true, std::memory_order_release);
        fail(Error::storage_failed, status.ok() ? "a log could not be synced" : status.ToString());
    }
    impl_->keep_reserve();
}

std::shared_ptr<const std::atomic<std::uint64_t>> Store::reserve_bytes() const noexcept
{
    return impl_->reserve.bytes();
}

void Store::check_place() const
{
    if (impl_->directory) {
        impl_->directory->check_place();
    }
}

bool Store::erase_orphan(const std::string& prefix, std::size_t most)
{
    if (impl_->erasing != prefix) {
        impl_->erasing = prefix;
        impl_->erased_to = prefix;
    }
    const auto iterator = iterate(nullptr, false);
    Batch batch;
    // Not from the prefix on: stepping over everything that was erased before would take ever
    // longer.
    for (iterator->Seek(impl_->erased_to); iterator->Valid() && batch.writes() < most;
         iterator->Next()) {
        if (!iterator->key().starts_with(prefix)) {
            break;
        }
        batch.erase({iterator->key().data(), iterator->key().size()});
        impl_->erased_to.assign(iterator->key().data(), iterator->key().size());
    }
    check_read(iterator->status());
    const bool gone = !iterator->Valid() || !iterator->key().starts_with(prefix);
    if (gone) {
        batch.erase(orphan_key(prefix));
        impl_->erasing.clear();
    }
    write(batch, false);
    return gone;
}

}  // namespace keywatch::storage
