// SPDX-License-Identifier: BSL-1.0
#include "backup_directory.hpp"

#include "storage/failure.hpp"
#include "storage/format/format_text.hpp"
#include "values/failure.hpp"

#include <algorithm>
#include <utility>

namespace keywatch::storage {

namespace {

void check_backup(const leveldb::Status& status)
{
    if (!status.ok()) {
        fail(Error::backup_failed, status.ToString());
    }
}

}  // namespace

BackupDirectory::BackupDirectory(Location location) : location_(std::move(location))
{
    make_directory();
    try {
        if (location_.files) {
            check_backup(location_.files->hold(location_.path));
        }
        if (!children().empty()) {
            fail(Error::backup_failed, location_.path + " is not empty");
        }
    } catch (...) {
        if (made_directory_) {
            location_.env->RemoveDir(location_.path);
        }
        throw;
    }
}

void BackupDirectory::make_directory()
{
    const leveldb::Status status = location_.env->CreateDir(location_.path);
    made_directory_ = status.ok();
    if (!status.ok() && !location_.env->FileExists(location_.path)) {
        check_backup(status);
    }
}

BackupDirectory::~BackupDirectory()
{
    if (!kept_) {
        remove_all();
    }
}

void BackupDirectory::begin(const BackupIdentity&)
{
    sync_directory(parent_of(location_.path));
}

void BackupDirectory::begin_file(const std::string& name, std::uint64_t)
{
    end_file();
    leveldb::WritableFile* made = nullptr;
    check_backup(location_.env->NewWritableFile(file(name), &made));
    open_.reset(made);
}

void BackupDirectory::append(std::string_view bytes)
{
    check_backup(open_->Append({bytes.data(), bytes.size()}));
}

void BackupDirectory::end_file()
{
    if (open_) {
        check_backup(open_->Sync());
        check_backup(open_->Close());
        open_.reset();
    }
}

void BackupDirectory::finish()
{
    end_file();
    sync_directory(location_.path);
    write_marker();
}

void BackupDirectory::write_marker()
{
    const std::string unfinished = unfinished_name(marker_name);
    const std::string text = format_line(database_text, database_format);
    begin_file(unfinished, text.size());
    append(text);
    end_file();
    check_backup(location_.env->RenameFile(file(unfinished), file(marker_name)));
    sync_directory(location_.path);
}

void BackupDirectory::sync_directory(const std::string& directory) const
{
    if (location_.disk != nullptr) {
        check_backup(location_.disk->sync_directory(directory));
    }
}

std::vector<std::string> BackupDirectory::children() const
{
    std::vector<std::string> names;
    check_backup(location_.env->GetChildren(location_.path, &names));
    std::erase_if(names, [](const std::string& name) { return name == "." || name == ".."; });
    return names;
}

/// Removes the marker first: if this is interrupted, the rest must not look like a database. In a
/// real directory, opens no descriptor, since a lack of descriptors may be the reason for this
/// call.
void BackupDirectory::remove_all() noexcept
{
    try {
        open_.reset();
        if (location_.env->RemoveFile(file(marker_name)).ok()) {
            sync_directory(location_.path);
        }
        for (const std::string& name : children()) {
            if (is_data_file(name) || name == "LOCK" || is_unfinished(marker_name, name)) {
                location_.env->RemoveFile(file(name));
            }
        }
        if (made_directory_) {
            location_.env->RemoveDir(location_.path);
        }
        sync_directory(parent_of(location_.path));
    } catch (...) {  // the disk fails: without its marker it is not a database
    }
}

}  // namespace keywatch::storage
