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

/// LevelDB's own lock.
constexpr std::string_view lock_name = "LOCK";

/// What a crash may leave behind that happened before the marker had its name.
bool is_unfinished_marker(const std::string& name)
{
    return is_unfinished(marker_name, name);
}

/// What LevelDB makes before the first CURRENT; there is no data yet.
bool is_unfinished_creation(const std::string& name)
{
    constexpr std::array<std::string_view, 5> names{lock_name, "LOG", "LOG.old", "MANIFEST-000001",
                                                    "000001.dbtmp"};
    return name == marker_name || is_unfinished_marker(name) ||
           std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Directory::Directory(Place place, Use use) : place_(std::move(place)), use_(use)
{
    const bool marked = find() && is_marked();
    if (!marked && use_ != Use::create) {
        fail(Error::open_failed, "there is no database in " + place_.path);
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

/// Whether it is there.
bool Directory::find()
{
    if (!place_.files) {
        std::vector<std::string> names;
        return place_.env->GetChildren(place_.path, &names).ok();
    }
    struct stat found{};
    if (::stat(place_.path.c_str(), &found) != 0) {
        if (errno != ENOENT) {
            fail_open(place_.path, errno);
        }
        return false;
    }
    if (!S_ISDIR(found.st_mode)) {
        fail(Error::not_a_database, place_.path + " is not a directory");
    }
    hold();
    return true;
}

void Directory::hold()
{
    if (place_.files) {
        check_open(place_.files->hold(place_.path));
    }
}

/// Without a marker there must be nothing but what a crash may have left of one. Whoever has the
/// database open adds files and removes them, so they are looked at once they are locked.
bool Directory::is_marked() const
{
    if (check_marker()) {
        return true;
    }
    const std::set<std::string> names = children_of(place_);
    if (names.contains(std::string(marker_name))) {
        return check_marker();  // somebody has just made it
    }
    if (!std::all_of(names.begin(), names.end(), is_unfinished_marker)) {
        fail(Error::not_a_database, place_.path + " holds files that keywatch did not write");
    }
    return false;
}

/// False if there is none.
bool Directory::check_marker() const
{
    if (!place_.env->FileExists(file(marker_name))) {
        return false;
    }
    const unsigned format =
        parse_format_line(database_text, read_small_file(*place_.env, file(marker_name)));
    if (format == 0) {
        fail(Error::damaged, file(marker_name) + " does not say which format the database has");
    }
    if (format > database_format) {
        fail(Error::format_too_new, place_.path + " has format " + std::to_string(format) +
                                        ", this program knows " + std::to_string(database_format));
    }
    return true;
}

void Directory::check_usable(const std::set<std::string>& names) const
{
    if (!place_.files) {
        return;
    }
    if (use_ == Use::read) {
        check_kinds(names);
        return;
    }
    const std::string& path = place_.path;
    if (::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) != 0) {
        fail_open(path, errno);
    }
    check_owner();
    check_kinds(names);
    // What is gone by now was the unfinished marker of somebody who tries to create it as well.
    const int directory = place_.files->held()->descriptor();
    for (const std::string& name : names) {
        if (::faccessat(directory, name.c_str(), R_OK | W_OK, AT_EACCESS) != 0 && errno != ENOENT) {
            fail_open(file(name), errno);
        }
    }
}

void Directory::check_owner() const
{
    if (const HeldDirectory& held = *place_.files->held(); !held.owner_is_trusted()) {
        fail(Error::open_failed,
             place_.path + " belongs to another user (" + std::to_string(held.owner()) +
                 "), who could change what is in it: use a directory of your own");
    }
}

/// LevelDB would wait for a pipe that has the name of one of its files.
void Directory::check_kinds(const std::set<std::string>& names) const
{
    for (const std::string& name : names) {
        if (is_data_file(name) || name == lock_name) {
            const auto status = place_.files->open_file(file(name), O_PATH).status;
            check_open(status.IsNotFound() ? leveldb::Status::OK() : status);
        }
    }
}

void Directory::make()
{
    if (place_.files ? place_.files->held() == nullptr : !find()) {
        make_directory();
    } else {
        check_usable({});
    }
    write_marker();
}

void Directory::make_directory()
{
    const leveldb::Status status = place_.env->CreateDir(place_.path);
    made_directory_ = status.ok();
    if (!status.ok() && !(place_.files && place_.env->FileExists(place_.path))) {
        check_open(status);
    }
    if (place_.disk != nullptr) {
        check_open(place_.disk->sync_directory(parent_of(place_.path)));
    }
    hold();
}

void Directory::write_marker()
{
    const std::string temporary = file(unfinished_name(marker_name));
    try {
        write_synced(*place_.env, temporary, format_line(database_text, database_format));
        publish_marker(temporary);
    } catch (...) {
        place_.env->RemoveFile(temporary);
        throw;
    }
    sync_directory(place_);
}

/// Of two processes that create a database at the same time one must not replace the marker that
/// the other has locked: so a link, which fails if the name is taken, and no rename, except on the
/// file systems that have no links.
void Directory::publish_marker(const std::string& temporary)
{
    if (place_.files && place_.files->link_file(temporary, file(marker_name)).ok()) {
        made_marker_ = true;
    } else if (place_.files && place_.env->FileExists(file(marker_name))) {
        // The other process was faster.
    } else {
        check_open(place_.env->RenameFile(temporary, file(marker_name)));
        made_marker_ = true;
        return;
    }
    check_open(place_.env->RemoveFile(temporary));
}

void Directory::lock()
{
    if (!place_.files) {
        return;
    }
    OpenedFile marker = place_.files->open_file(file(marker_name), O_RDONLY);
    check_open(marker.status);
    const int kind = use_ == Use::read ? LOCK_SH : LOCK_EX;
    if (::flock(marker.file.get(), kind | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            made_marker_ = false;  // whoever has it locked counts on it
            made_directory_ = false;
            fail(Error::locked, place_.path + (use_ == Use::read ? " is open already, to be written"
                                                                 : " is open already"));
        }
        fail_open(file(marker_name), errno);
    }
    lock_ = std::move(marker.file);
}

void Directory::remember()
{
    const std::set<std::string> names = children_of(place_);
    check_usable(names);
    if (!names.contains(std::string(current_file))) {
        check_creation(names);
    }
    for (const std::string& name : names) {
        if (is_data_file(name)) {
            std::uint64_t bytes = 0;
            check_open(place_.env->GetFileSize(file(name), &bytes));
            data_bytes_before_ += bytes;
            log_bytes_before_ += name.ends_with(".log") ? bytes : 0;
        }
    }
    if (use_ != Use::read) {
        trial_.begin(names);
    }
}

/// Without CURRENT the database is one whose creation was cut short.
void Directory::check_creation(const std::set<std::string>& names) const
{
    if (!std::all_of(names.begin(), names.end(), is_unfinished_creation)) {
        fail(Error::damaged, file(current_file) + " is missing");
    }
    if (use_ != Use::create) {
        fail(Error::open_failed, "there is no database in " + place_.path);
    }
}

void Directory::check_place() const
{
    if (place_.files) {
        if (const auto status = place_.files->held()->check_place(); !status.ok()) {
            fail(Error::storage_failed, status.ToString());
        }
    }
}

/// The marker goes only once the other files are known to be gone: a power cut in here must not
/// leave what no open understands.
void Directory::rollback() noexcept
{
    try {
        trial_.roll_back();
        if (made_marker_) {
            place_.env->RemoveFile(file(marker_name));
        }
        if (made_directory_) {
            place_.env->RemoveDir(place_.path);
        }
    } catch (...) {  // the disk fails: as it is, it can still be opened
    }
}

}  // namespace keywatch::storage
