// SPDX-License-Identifier: BSL-1.0
#include "synced_file.hpp"

namespace keywatch::storage {

SyncedFile::SyncedFile(Environment& environment, std::shared_ptr<OpenFile> file,
                       leveldb::WritableFile* base)
    : environment_(environment), file_(std::move(file)), base_(base)
{
    file_->open = this;
}

SyncedFile::~SyncedFile()
{
    if (file_->open == nullptr) {
        return;
    }
    if (const leveldb::Status status = finish(); !status.ok()) {
        environment_.note_close_failure(status);
    } else if (file_->gets_mark && !failed_ && !file_->sync_failed.load()) {
        environment_.finish_log(std::move(file_), std::move(base_));
    }
}

leveldb::Status SyncedFile::Append(const leveldb::Slice& data)
{
    if (failed_) {
        return leveldb::Status::IOError(file_->name, "not written after an earlier failure");
    }
    leveldb::Status status = base_->Append(data);
    if (status.ok()) {
        file_->appended += data.size();
    } else {
        torn_ = true;
        failed_ = true;
    }
    return status;
}

leveldb::Status SyncedFile::Flush()
{
    leveldb::Status status = base_->Flush();
    if (status.ok()) {
        file_->flushed.store(file_->appended);
    } else {
        torn_ = true;
        failed_ = true;
    }
    return status;
}

leveldb::Status SyncedFile::Sync()
{
    const std::uint64_t bytes = file_->appended;
    leveldb::Status status = base_->Sync();
    if (status.ok()) {
        raise(file_->flushed, bytes);
        raise(file_->synced, bytes);
        status = environment_.sync_entry(*file_);
    }
    failed_ = failed_ || !status.ok();
    return status;
}

leveldb::Status SyncedFile::Close()
{
    const leveldb::Status synced = finish();
    const leveldb::Status closed = base_->Close();
    return synced.ok() ? closed : synced;
}

/// Syncs what is not synced yet. A failed write was reported when it failed, so the result of a
/// sync after it is ignored; the sync may still save the bytes before the failed write.
leveldb::Status SyncedFile::finish()
{
    file_->open = nullptr;
    const leveldb::Status synced = file_->clean() ? leveldb::Status::OK() : Sync();
    return torn_ ? leveldb::Status::OK() : synced;
}

}  // namespace keywatch::storage
