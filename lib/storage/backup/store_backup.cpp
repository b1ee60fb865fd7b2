// SPDX-License-Identifier: BSL-1.0
#include "store_backup.hpp"

#include "storage/failure.hpp"
#include "storage/log/log_mark.hpp"
#include "storage/store_impl.hpp"
#include "storage/table/table_walk.hpp"
#include "values/failure.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace keywatch::storage {

std::unique_ptr<StoreBackup> Store::start_backup() const
{
    check_location();
    auto backup = std::make_unique<StoreBackup>(impl_->environment, impl_->location.path);
    std::optional<StoreSnapshot> snapshot;
    {
        const MutexLock lock(impl_->writing);
        if (failed()) {
            std::rethrow_exception(impl_->failure);  // it is unknown what of that write is stored
        }
        snapshot.emplace(*impl_->db);
        backup->note_logs_and_manifest();
    }
    backup->note_tables();
    backup->set_identity({history_id_, revision(*snapshot)});
    return backup;
}

StoreBackup::StoreBackup(Environment& environment, std::string path)
    : environment_(environment), path_(std::move(path))
{
    environment_.hold_removals();
}

StoreBackup::~StoreBackup()
{
    environment_.release_removals();
}

void StoreBackup::note_logs_and_manifest()
{
    for (const std::string& log : environment_.logs()) {
        note(log.substr(log.rfind('/') + 1));
    }
    if (!files_.empty()) {
        files_.back().tail = mark_bytes(LogMark::closed, files_.back().size);
    }
    check_read(leveldb::ReadFileToString(&environment_, path_of(current_file), &current_));
    if (!current_.ends_with('\n')) {
        fail(Error::damaged, path_of(current_file) + " does not name a manifest");
    }
    note(current_.substr(0, current_.size() - 1));
}

void StoreBackup::note_tables()
{
    std::vector<std::string> names;
    check_read(environment_.GetChildren(path_, &names));
    std::ranges::sort(names);
    for (const std::string& name : names) {
        if (is_table_file(name)) {
            note(name);
        }
    }
}

void StoreBackup::note(const std::string& name)
{
    File file{name, 0, {}};
    check_read(environment_.GetFileSize(path_of(name), &file.size));
    files_.push_back(std::move(file));
}

void StoreBackup::copy_to(BackupTarget& target, const std::function<void()>& check) const
{
    check();
    target.begin(identity_);
    for (const File& file : files_) {
        copy(file, target, check);
    }
    target.begin_file(std::string(current_file), current_.size());
    target.append(current_);
    target.finish();
}

void StoreBackup::copy(const File& file, BackupTarget& target,
                       const std::function<void()>& check) const
{
    if (is_table_file(file.name)) {
        walk_table(*environment_.target(), path_of(file.name), file.size);
    }
    leveldb::SequentialFile* raw = nullptr;
    check_read(environment_.NewSequentialFile(path_of(file.name), &raw));
    const std::unique_ptr<leveldb::SequentialFile> source(raw);
    const auto chunk = std::make_unique<char[]>(backup_chunk_bytes);
    target.begin_file(file.name, file.size + file.tail.size());
    for (std::uint64_t left = file.size; left > 0;) {
        check();
        leveldb::Slice bytes;
        check_read(
            source->Read(std::min<std::uint64_t>(left, backup_chunk_bytes), &bytes, chunk.get()));
        if (bytes.empty()) {
            fail(Error::damaged, path_of(file.name) + " has become shorter");
        }
        target.append({bytes.data(), bytes.size()});
        left -= bytes.size();
    }
    if (!file.tail.empty()) {
        target.append(file.tail);
    }
}

}  // namespace keywatch::storage
