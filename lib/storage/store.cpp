// SPDX-License-Identifier: BSL-1.0
#include "store.hpp"

#include "failure.hpp"
#include "store_impl.hpp"

#include "values/failure.hpp"

#include <algorithm>
#include <exception>

namespace keywatch::storage {

Store::Store() = default;
Store::~Store() = default;

std::optional<std::string> Store::get(std::string_view key, const StoreSnapshot* snapshot) const
{
    return impl_->get(key, snapshot != nullptr ? snapshot->get() : nullptr);
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
        fail(Error::read_only, "the database was opened with Options::read_only");
    }
    const MutexLock lock(impl_->writing);
    if (failed()) {
        std::rethrow_exception(impl_->failure);
    }
    leveldb::WriteOptions options;
    options.sync = sync;
    leveldb::Status status;
    try {
        status = impl_->db->Write(options, &batch.batch_);
    } catch (const std::exception& error) {
        // LevelDB is not exception-safe: the outcome of the write is unknown.
        fail_writes(leveldb::Status::IOError("writing", error.what()));
    }
    impl_->table.notice(impl_->environment.logs_created());
    impl_->table.bytes.fetch_add(batch.memory_bytes(), std::memory_order_relaxed);
    if (status.ok()) {
        status = impl_->environment.close_failure();
    }
    if (!status.ok()) {
        fail_writes(status);
    }
    impl_->keep_reserve();
}

std::shared_ptr<const std::atomic<std::uint64_t>> Store::reserve_bytes() const noexcept
{
    return impl_->reserve.bytes();
}

/// Takes no lock: the failure does not change once failed() has returned true.
std::exception_ptr Store::failure() const noexcept KEYWATCH_NOT_CHECKED
{
    return impl_->failure;
}

void Store::fail_writes(const leveldb::Status& status) KEYWATCH_REQUIRES(impl_->writing)
{
    const Error error = status.IsCorruption() ? Error::damaged : Error::storage_failed;
    impl_->failure = std::make_exception_ptr(
        boost::system::system_error(make_error_code(error), status.ToString()));
    // Pairs with the load in failed(): the thread that sees the flag may read the failure.
    failed_->store(true, std::memory_order_release);
    std::rethrow_exception(impl_->failure);
}

void Store::check_location() const
{
    if (impl_->directory) {
        impl_->directory->check_location();
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
    // Starts at the last erased key: starting at the prefix would step over all erased keys, which
    // would take ever longer.
    for (iterator->Seek(impl_->erased_to); iterator->Valid() && batch.writes() < most;
         iterator->Next()) {
        if (!iterator->key().starts_with(prefix)) {
            break;
        }
        batch.erase({iterator->key().data(), iterator->key().size()});
        impl_->erased_to.assign(iterator->key().data(), iterator->key().size());
    }
    const bool gone = !iterator->Valid() || !iterator->key().starts_with(prefix);
    if (gone) {
        batch.erase(orphan_key(prefix));
        impl_->erasing.clear();
    }
    write(batch, false);
    return gone;
}

}  // namespace keywatch::storage
