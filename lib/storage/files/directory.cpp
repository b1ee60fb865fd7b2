// SPDX-License-Identifier: BSL-1.0
#include "directory.hpp"

#include "storage/backup/backup_target.hpp"
#include "storage/failure.hpp"
#include "storage/format/format_text.hpp"
#include "values/failure.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

namespace keywatch::storage {

namespace {

/// The name of LevelDB's own lock file.
constexpr std::string_view lock_name = "LOCK";

/// Returns true for a file that a crash may leave if it happens before the marker has its final
/// name.
bool is_unfinished_marker(const std::string& name)
{
    return is_unfinished(marker_name, name);
}

/// Returns true for files that exist before LevelDB creates the first CURRENT. There is no data
/// yet.
bool is_unfinished_creation(const std::string& name)
{
    constexpr std::array<std::string_view, 5> names{lock_name, "LOG", "LOG.old", "MANIFEST-000001",
                                                    "000001.dbtmp"};
    return name == marker_name || is_unfinished_marker(name) ||
           std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Directory::Directory(Location location, Use use) : location_(std::move(location)), use_(use)
{
    const bool marked = find() && is_marked();
    if (!marked && use_ != Use::create) {
        fail(Error::open_failed, "there is no database in " + location_.path);
    }
    try {
        if (!marked) {
            make();
        }
        lock();
        remember();
    } catch (...) {
        rollback();
        throw;
    }
}

/// Returns true if the directory exists.
bool Directory::find()
{
    if (!location_.files) {
        std::vector<std::string> names;
        return location_.env->GetChildren(location_.path, &names).ok();
    }
    struct stat found{};
    if (::stat(location_.path.c_str(), &found) != 0) {
        if (errno != ENOENT) {
            fail_open(location_.path, errno);
        }
        return false;
    }
    if (!S_ISDIR(found.st_mode)) {
        fail(Error::not_a_database, location_.path + " is not a directory");
    }
    hold();
    return true;
}

void Directory::hold()
{
    if (location_.files) {
        check_open(location_.files->hold(location_.path));
    }
}

/// Returns true if there is a marker. Without one, the directory may only contain unfinished
/// markers. A process that has the database open creates and removes other files, so these are
/// checked only after the marker was locked.
bool Directory::is_marked() const
{
    if (check_marker()) {
        return true;
    }
    const std::set<std::string> names = children_of(location_);
    if (names.contains(std::string(marker_name))) {
        return check_marker();  // another process has just created it
    }
    if (!std::all_of(names.begin(), names.end(), is_unfinished_marker)) {
        fail(Error::not_a_database, location_.path + " holds files that keywatch did not write");
    }
    return false;
}

/// Returns false if there is no marker. Throws if it is not valid.
bool Directory::check_marker() const
{
    if (!location_.env->FileExists(file(marker_name))) {
        return false;
    }
    const unsigned format =
        parse_format_line(database_text, read_small_file(*location_.env, file(marker_name)));
    if (format == 0) {
        fail(Error::damaged, file(marker_name) + " does not say which format the database has");
    }
    if (format > database_format) {
        fail(Error::format_too_new, location_.path + " has format " + std::to_string(format) +
                                        ", this program knows " + std::to_string(database_format));
    }
    return true;
}

void Directory::check_usable(const std::set<std::string>& names) const
{
    if (!location_.files) {
        return;
    }
    if (use_ == Use::read) {
        check_kinds(names);
        return;
    }
    const std::string& path = location_.path;
    if (::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) != 0) {
        fail_open(path, errno);
    }
    check_owner();
    check_kinds(names);
    // If a file no longer exists, it was the unfinished marker of another process that tries to
    // create the same database.
    const int directory = location_.files->held()->descriptor();
    for (const std::string& name : names) {
        if (::faccessat(directory, name.c_str(), R_OK | W_OK, AT_EACCESS) != 0 && errno != ENOENT) {
            fail_open(file(name), errno);
        }
    }
}

void Directory::check_owner() const
{
    if (const HeldDirectory& held = *location_.files->held(); !held.owner_is_trusted()) {
        fail(Error::open_failed,
             location_.path + " belongs to another user (" + std::to_string(held.owner()) +
                 "), who could change what is in it: use a directory of your own");
    }
}

/// Checks that the data files and the lock file are regular files. LevelDB would block on a pipe
/// with the name of one of its files.
void Directory::check_kinds(const std::set<std::string>& names) const
{
    for (const std::string& name : names) {
        if (is_data_file(name) || name == lock_name) {
            const auto status = location_.files->open_file(file(name), O_PATH).status;
            check_open(status.IsNotFound() ? leveldb::Status::OK() : status);
        }
    }
}

void Directory::make()
{
    if (location_.files ? location_.files->held() == nullptr : !find()) {
        make_directory();
    } else {
        check_usable({});
    }
    write_marker();
}

void Directory::make_directory()
{
    const leveldb::Status status = location_.env->CreateDir(location_.path);
    made_directory_ = status.ok();
    if (!status.ok() && !(location_.files && location_.env->FileExists(location_.path))) {
        check_open(status);
    }
    if (location_.disk != nullptr) {
        check_open(location_.disk->sync_directory(parent_of(location_.path)));
    }
    hold();
}

void Directory::write_marker()
{
    const std::string temporary = file(unfinished_name(marker_name));
    try {
        write_synced(*location_.env, temporary, format_line(database_text, database_format));
        publish_marker(temporary);
    } catch (...) {
        location_.env->RemoveFile(temporary);
        throw;
    }
    sync_directory(location_);
}

/// Gives the marker its name. If two processes create a database at the same time, one must not
/// replace the marker that the other one has locked. A link is used, which fails if the name is
/// taken. On file systems without links, the marker is renamed.
void Directory::publish_marker(const std::string& temporary)
{
    if (location_.files && location_.files->link_file(temporary, file(marker_name)).ok()) {
        made_marker_ = true;
    } else if (location_.files && location_.env->FileExists(file(marker_name))) {
        // The other process was faster.
    } else {
        check_open(location_.env->RenameFile(temporary, file(marker_name)));
        made_marker_ = true;
        return;
    }
    check_open(location_.env->RemoveFile(temporary));
}

void Directory::lock()
{
    if (!location_.files) {
        return;
    }
    OpenedFile marker = location_.files->open_file(file(marker_name), O_RDONLY);
    check_open(marker.status);
    const int kind = use_ == Use::read ? LOCK_SH : LOCK_EX;
    if (::flock(marker.file.get(), kind | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            made_marker_ = false;  // the process that has locked it relies on it
            made_directory_ = false;
            fail(Error::locked, location_.path + (use_ == Use::read ? " is open already for writing"
                                                                    : " is open already"));
        }
        fail_open(file(marker_name), errno);
    }
    lock_ = std::move(marker.file);
}

void Directory::remember()
{
    const std::set<std::string> names = children_of(location_);
    check_usable(names);
    if (!names.contains(std::string(current_file))) {
        check_creation(names);
    }
    for (const std::string& name : names) {
        if (is_data_file(name)) {
            std::uint64_t bytes = 0;
            check_open(location_.env->GetFileSize(file(name), &bytes));
            data_bytes_before_ += bytes;
            log_bytes_before_ += name.ends_with(".log") ? bytes : 0;
        }
    }
    if (use_ != Use::read) {
        trial_.begin(names);
    }
}

/// Checks a database without CURRENT: it must be one whose creation was interrupted.
void Directory::check_creation(const std::set<std::string>& names) const
{
    if (!std::all_of(names.begin(), names.end(), is_unfinished_creation)) {
        fail(Error::damaged, file(current_file) + " is missing");
    }
    if (use_ != Use::create) {
        fail(Error::open_failed, "there is no database in " + location_.path);
    }
}

void Directory::check_location() const
{
    if (location_.files) {
        if (const auto status = location_.files->held()->check_location(); !status.ok()) {
            fail(Error::storage_failed, status.ToString());
        }
    }
}

/// Removes the marker only after the removal of the other files is durable: a power cut in between
/// must not leave a directory that no open accepts.
void Directory::rollback() noexcept
{
    try {
        trial_.roll_back();
        if (made_marker_) {
            location_.env->RemoveFile(file(marker_name));
        }
        if (made_directory_) {
            location_.env->RemoveDir(location_.path);
        }
    } catch (...) {  // the disk fails: the directory can still be opened as it is
    }
}

}  // namespace keywatch::storage
