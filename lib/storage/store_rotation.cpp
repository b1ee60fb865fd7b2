// SPDX-License-Identifier: BSL-1.0
#include "failure.hpp"
#include "store_impl.hpp"

namespace keywatch::storage {

namespace {

/// The number of level 0 files at which a rotation may stall. LevelDB begins to delay writes at 8.
constexpr std::size_t many_level0_files = 6;
/// The size of a write whose copying takes longer than most of the work of an event loop.
constexpr std::size_t large_write = std::size_t{1} << 20;

}  // namespace

/// Returns the number of files in level 0. Asking LevelDB takes its mutex, so the number is cached
/// until a file is created or removed. Some compactions only move a file to the next level, so a
/// high number is never cached. The order of the two atomics does not matter: it is an estimate.
std::size_t Store::Impl::level0_files() const
{
    const std::uint64_t changes = environment.changes();
    const std::size_t known = level0.load(std::memory_order_relaxed);
    if (level0_seen_at.load(std::memory_order_relaxed) == changes && known < many_level0_files) {
        return known;
    }
    std::string text;
    if (!db->GetProperty("leveldb.num-files-at-level0", &text)) {
        return known;
    }
    const std::size_t files = std::stoul(text);
    level0.store(files, std::memory_order_relaxed);
    level0_seen_at.store(changes, std::memory_order_relaxed);
    return files;
}

bool Store::may_stall(std::size_t bytes) const
{
    impl_->table.notice(impl_->environment.logs_created());
    const std::size_t used = impl_->table.bytes.load(std::memory_order_relaxed);
    // Entries may leave parts of the table's blocks unused: up to a tenth more than estimated, as
    // measured.
    return bytes >= large_write || used + used / 8 + bytes >= impl_->write_buffer_bytes ||
           impl_->level0_files() >= many_level0_files;
}

bool Store::wants_rotation() const
{
    const std::size_t used = impl_->table.bytes.load(std::memory_order_relaxed);
    return used >= impl_->write_buffer_bytes / 4 * 3 && !impl_->environment.old_log_pending() &&
           impl_->level0_files() < many_level0_files;
}

void Store::prepare_rotation()
{
    if (impl_->environment.old_log_pending() || impl_->level0_files() >= many_level0_files) {
        return;  // would wait for the thread that writes tables
    }
    leveldb::Status status = impl_->environment.sync_log();
    const MutexLock lock(impl_->writing);
    if (failed()) {
        return;
    }
    if (status.ok()) {
        status = impl_->db->Write({}, nullptr);  // a null batch asks LevelDB for a rotation
        impl_->table.notice(impl_->environment.logs_created());
    }
    if (status.ok()) {
        status = impl_->environment.close_failure();
    }
    if (!status.ok()) {
        fail_writes(status);
    }
}

}  // namespace keywatch::storage
