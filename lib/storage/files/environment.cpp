// SPDX-License-Identifier: BSL-1.0
#include "environment.hpp"

#include "synced_file.hpp"

#include "storage/failed_reads.hpp"
#include "storage/format/format_text.hpp"
#include "storage/table/checked_table.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace keywatch::storage {

namespace {

std::string_view without_directory(std::string_view name)
{
    return name.substr(name.rfind('/') + 1);
}

/// Returns true if a file's name becomes durable without a sync by this Env: LevelDB's own files
/// sync the directory with each sync of a manifest, and a temporary file is renamed over CURRENT,
/// which syncs the directory.
bool is_synced_by_name(std::string_view name)
{
    return is_manifest(name) || name.ends_with(".dbtmp");
}

/// Appends a mark to a log. If that fails, the log has no mark, which is valid too.
void append_mark(const OpenFile& log, leveldb::WritableFile& file, LogMark mark)
{
    if (file.Append(mark_bytes(mark, log.appended)).ok()) {
        file.Sync();
    }
}

}  // namespace

Environment::Environment(leveldb::Env* base, Disk* disk) : EnvWrapper(base), disk_(disk) {}

Environment::~Environment() = default;

leveldb::Status Environment::NewSequentialFile(const std::string& name,
                                               leveldb::SequentialFile** file)
{
    return recovery_ && LogRecovery::checks(name) ? recovery_->open(name, file)
                                                  : target()->NewSequentialFile(name, file);
}

bool Environment::FileExists(const std::string& name)
{
    if (target()->FileExists(name)) {
        return true;
    }
    std::vector<std::string> names;
    const bool listed = target()->GetChildren(directory_of(name), &names).ok();
    return !listed || std::ranges::find(names, without_directory(name)) != names.end();
}

/// Opens a table. If LevelDB cannot open a table, it also tries the name used by older versions; a
/// failure to open that one is not recorded. A missing table must not be reported as NotFound,
/// since that is LevelDB's result for missing keys.
leveldb::Status Environment::NewRandomAccessFile(const std::string& name,
                                                 leveldb::RandomAccessFile** file)
{
    leveldb::RandomAccessFile* opened = nullptr;
    std::uint64_t size = 0;
    *file = nullptr;
    leveldb::Status status = target()->NewRandomAccessFile(name, &opened);
    std::unique_ptr<leveldb::RandomAccessFile> base(opened);
    if (status.ok()) {
        status = target()->GetFileSize(name, &size);
    } else if (name.ends_with(".sst")) {
        return status;
    }
    if (status.IsNotFound()) {
        status = leveldb::Status::Corruption(name, "the file is missing");
    }
    if (status.ok()) {
        *file = new CheckedTable(name, std::move(base), size);
    } else {
        FailedReads::note(status);
    }
    return status;
}

leveldb::Status Environment::NewWritableFile(const std::string& name, leveldb::WritableFile** file)
{
    if (!log_number(name)) {
        mark_rotated_logs();
    } else if (leveldb::Status status = sync_current_log(); !status.ok()) {
        return status;
    }
    keep(name);
    if (leveldb::Status status = set_aside(name); !status.ok()) {
        return status;
    }
    return wrap(target()->NewWritableFile(name, file), name, true, file);
}

leveldb::Status Environment::NewAppendableFile(const std::string& name,
                                               leveldb::WritableFile** file)
{
    keep(name);
    return wrap(target()->NewAppendableFile(name, file), name, false, file);
}

leveldb::Status Environment::wrap(leveldb::Status status, const std::string& name, bool made,
                                  leveldb::WritableFile** file)
{
    if (!status.ok()) {
        return status;
    }
    auto state = std::make_shared<OpenFile>(name);
    state->entry_synced.store(is_synced_by_name(name));
    state->gets_mark = made && log_number(name);
    *file = new SyncedFile(*this, state, *file);
    const MutexLock lock(mutex_);
    if (log_number(name)) {
        log_ = std::move(state);
        log_names_.insert(name);
        logs_.store(log_names_.size(), std::memory_order_relaxed);
        logs_created_.fetch_add(1, std::memory_order_relaxed);
    }
    changes_.fetch_add(1, std::memory_order_relaxed);
    return status;
}

leveldb::Status Environment::RemoveFile(const std::string& name)
{
    if (close_failed()) {
        return leveldb::Status::IOError(name, "not removed after a failed sync");
    }
    {
        const MutexLock lock(mutex_);
        log_names_.erase(name);
        logs_.store(log_names_.size(), std::memory_order_relaxed);
        if (holds_ > 0) {
            held_removals_.insert(name);
            changes_.fetch_add(1, std::memory_order_relaxed);
            return leveldb::Status::OK();
        }
        removing_.insert(name);
    }
    return remove(name);
}

leveldb::Status Environment::remove(const std::string& name)
{
    leveldb::Status status = target()->RemoveFile(name);
    changes_.fetch_add(1, std::memory_order_relaxed);
    const MutexLock lock(mutex_);
    removing_.erase(removing_.find(name));
    removed_.notify_all();
    return status;
}

void Environment::keep(const std::string& name)
{
    UniqueLock lock(mutex_);
    held_removals_.erase(name);
    while (removing_.contains(name)) {
        removed_.wait(lock.native());
    }
}

/// Renames a file. LevelDB renames one file only, over CURRENT. It takes a failure to mean that
/// nothing was renamed, although the name may have changed, and would remove the manifest that
/// CURRENT then names. So a failed sync of the directory is not returned; it is recorded as a close
/// failure.
leveldb::Status Environment::RenameFile(const std::string& from, const std::string& to)
{
    leveldb::Status status = target()->RenameFile(from, to);
    if (status.ok() && disk_ != nullptr) {
        note_close_failure(disk_->sync_directory(directory_of(to)));
    }
    return status;
}

void Environment::note_close_failure(const leveldb::Status& status)
{
    if (status.ok()) {
        return;
    }
    const MutexLock lock(mutex_);
    if (close_failure_.ok()) {
        close_failure_ = status;
    }
    close_failed_.store(true, std::memory_order_relaxed);
}

leveldb::Status Environment::close_failure() const
{
    if (!close_failed()) {
        return leveldb::Status::OK();
    }
    const MutexLock lock(mutex_);
    return close_failure_;
}

leveldb::Status Environment::sync_log()
{
    std::shared_ptr<OpenFile> log;
    {
        const MutexLock lock(mutex_);
        log = log_;
    }
    if (!log || disk_ == nullptr) {
        return leveldb::Status::OK();
    }
    const std::uint64_t bytes = log->flushed.load();
    if (log->synced.load() >= bytes) {
        return leveldb::Status::OK();
    }
    leveldb::Status status = disk_->sync_file(log->name);
    if (status.ok()) {
        raise(log->synced, bytes);
        status = sync_entry(*log);
    } else {
        log->sync_failed.store(true);
    }
    return status;
}

/// Called when LevelDB creates the next log, on the thread that writes the current one, between two
/// writes.
leveldb::Status Environment::sync_current_log()
{
    std::shared_ptr<OpenFile> log;
    {
        const MutexLock lock(mutex_);
        log = log_;
    }
    return log && log->open != nullptr && !log->clean() ? log->open->Sync() : leveldb::Status::OK();
}

void Environment::finish_log(std::shared_ptr<OpenFile> log,
                             std::unique_ptr<leveldb::WritableFile> file)
{
    {
        const MutexLock lock(mutex_);
        if (log != log_) {  // LevelDB's mutex is held
            rotated_.emplace_back(std::move(log), std::move(file));
            return;
        }
    }
    mark_rotated_logs();
    append_mark(*log, *file, LogMark::closed);
}

void Environment::mark_rotated_logs()
{
    decltype(rotated_) rotated;
    std::shared_ptr<OpenFile> next;
    {
        const MutexLock lock(mutex_);
        rotated.swap(rotated_);
        next = log_;
    }
    if (rotated.empty() || !sync_entry(*next).ok()) {
        return;
    }
    for (const auto& [log, file] : rotated) {
        append_mark(*log, *file, LogMark::rotated);
    }
}

leveldb::Status Environment::sync_entry(OpenFile& file)
{
    if (disk_ == nullptr || file.entry_synced.load()) {
        return leveldb::Status::OK();
    }
    leveldb::Status status = disk_->sync_directory(directory_of(file.name));
    if (status.ok()) {
        file.entry_synced.store(true);
    }
    return status;
}

void Environment::hold_removals()
{
    UniqueLock lock(mutex_);
    ++holds_;
    while (!removing_.empty()) {
        removed_.wait(lock.native());
    }
}

/// Removes one file at a time: meanwhile LevelDB may create a file with a held name (see keep).
void Environment::release_removals()
{
    UniqueLock lock(mutex_);
    --holds_;
    while (holds_ == 0 && !held_removals_.empty() && !close_failed()) {
        const std::string name = std::move(held_removals_.extract(held_removals_.begin()).value());
        removing_.insert(name);
        lock.unlock();
        remove(name);
        lock.lock();
    }
}

void Environment::Schedule(void (*function)(void*), void* argument)
{
    {
        const MutexLock lock(mutex_);
        if (background_held_) {
            held_work_.emplace_back(function, argument);
            return;
        }
    }
    background_.run(function, argument);
}

void Environment::hold_background()
{
    const MutexLock lock(mutex_);
    background_held_ = true;
}

void Environment::release_background()
{
    decltype(held_work_) work;
    {
        const MutexLock lock(mutex_);
        background_held_ = false;
        work.swap(held_work_);
    }
    for (const auto& [function, argument] : work) {
        Schedule(function, argument);
    }
}

void Environment::begin_trial()
{
    hold_removals();
    const MutexLock lock(mutex_);
    trial_ = true;
}

void Environment::end_trial()
{
    {
        const MutexLock lock(mutex_);
        trial_ = false;
        made_on_trial_.clear();
    }
    release_removals();
}

leveldb::Status Environment::set_aside(const std::string& name)
{
    {
        const MutexLock lock(mutex_);
        if (!trial_ || !made_on_trial_.insert(name).second) {
            return leveldb::Status::OK();
        }
    }
    return target()->FileExists(name)
               ? target()->RenameFile(
                     name, directory_of(name) + "/" + aside_name(without_directory(name)))
               : leveldb::Status::OK();
}

std::set<std::string> Environment::logs() const
{
    const MutexLock lock(mutex_);
    return log_names_;
}

}  // namespace keywatch::storage
