// SPDX-License-Identifier: BSL-1.0
#include "failure.hpp"
#include "store_impl.hpp"

namespace keywatch::storage {

namespace {

/// LevelDB begins to delay writes at 8 files in level 0.
constexpr std::size_t many_level0_files = 6;
/// Copying this much takes longer than most of what an event loop does.
constexpr std::size_t large_write = std::size_t{1} << 20;

}  // namespace

/// The number changes only with files; asking LevelDB takes its mutex. Some compactions only move
/// a file to the next level, so a high number is never believed for long.
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
    // Entries may fit badly into the table's blocks: up to a tenth more than estimated, as
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
        return;  // it would wait for the thread that writes tables
    }
    leveldb::Status status = impl_->environment.sync_log();
    const std::lock_guard lock(impl_->writing);
    if (failed()) {
        return;
    }
    if (status.ok()) {
        status = impl_->db->Write({}, nullptr);  // LevelDB's way to ask for a rotation
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
