// SPDX-License-Identifier: BSL-1.0
#include "directory.hpp"

#include "failure.hpp"
#include "format_text.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace keywatch::storage {

namespace {

const std::string current_name = "CURRENT";

/// What a crash may leave behind that happened before the marker had its name.
bool is_unfinished_marker(const std::string& name)
{
    return is_unfinished(marker_name, name);
}

/// What LevelDB makes before the first CURRENT; there is no data yet.
bool is_unfinished_creation(const std::string& name)
{
    constexpr std::array<std::string_view, 5> names{"LOCK", "LOG", "LOG.old", "MANIFEST-000001",
                                                    "000001.dbtmp"};
    return name == marker_name || is_unfinished_marker(name) ||
           std::find(names.begin(), names.end(), name) != names.end();
}

void check_open(const leveldb::Status& status)
{
    if (!status.ok()) {
        fail_open(status);
    }
}

void write_synced(leveldb::Env& env, const std::string& name, const std::string& text)
{
    leveldb::WritableFile* raw = nullptr;
    check_open(env.NewWritableFile(name, &raw));
    const std::unique_ptr<leveldb::WritableFile> file(raw);
    check_open(file->Append(text));
    check_open(file->Sync());
    check_open(file->Close());
}

}  // namespace

std::string parent_of(std::string path)
{
    while (path.size() > 1 && path.back() == '/') {
        path.pop_back();
    }
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
}

Directory::Directory(Place place, bool create_if_missing) : place_(std::move(place))
{
    const bool marked = exists() && is_marked();
    if (!marked && !create_if_missing) {
        fail(Error::open_failed, "there is no database in " + place_.path);
    }
    try {
        if (!marked) {
            make();
        }
        lock();
        remember(create_if_missing);
    } catch (...) {
        rollback();
        unlock();
        throw;
    }
}

Directory::~Directory()
{
    unlock();
}

bool Directory::exists() const
{
    if (!place_.real) {
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
    return true;
}

std::set<std::string> Directory::children() const
{
    std::vector<std::string> names;
    check_open(place_.env->GetChildren(place_.path, &names));
    std::set<std::string> found(names.begin(), names.end());
    found.erase(".");
    found.erase("..");
    return found;
}

/// Without a marker there must be nothing but what a crash may have left of one. Whoever has the
/// database open adds files and removes them, so they are looked at once they are locked.
bool Directory::is_marked() const
{
    if (check_marker()) {
        return true;
    }
    const std::set<std::string> names = children();
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
    std::string text;
    const auto status = leveldb::ReadFileToString(place_.env, file(marker_name), &text);
    if (!status.ok() && !place_.env->FileExists(file(marker_name))) {
        return false;  // LevelDB's environment in memory does not call that NotFound
    }
    check_open(status);
    const unsigned format = parse_format_line(database_text, text);
    if (format == 0) {
        fail(Error::damaged, file(marker_name) + " does not say which format the database has");
    }
    if (format > database_format) {
        fail(Error::format_too_new, place_.path + " has format " + std::to_string(format) +
                                        ", this program knows " + std::to_string(database_format));
    }
    return true;
}

void Directory::check_writable(const std::set<std::string>& names) const
{
    if (!place_.real) {
        return;
    }
    const std::string& path = place_.path;
    if (::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) != 0) {
        fail_open(path, errno);
    }
    const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        fail_open(path, errno);
    }
    // What is gone by now was the unfinished marker of somebody who tries to create it as well.
    const auto refused = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
        return ::faccessat(directory, name.c_str(), R_OK | W_OK, AT_EACCESS) != 0 &&
               errno != ENOENT;
    });
    const int error = errno;
    ::close(directory);
    if (refused != names.end()) {
        fail_open(file(*refused), error);
    }
}

void Directory::make()
{
    if (exists()) {
        check_writable({});
    } else {
        make_directory();
    }
    write_marker();
}

void Directory::make_directory()
{
    if (place_.real) {
        made_directory_ = ::mkdir(place_.path.c_str(), 0755) == 0;
        if (!made_directory_ && errno != EEXIST) {
            fail_open(place_.path, errno);
        }
    } else {
        check_open(place_.env->CreateDir(place_.path));
        made_directory_ = true;
    }
    sync_directory(parent_of(place_.path));
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
    sync_directory(place_.path);
}

/// Of two processes that create a database at the same time one must not replace the marker that
/// the other has locked: so a link, which fails if the name is taken, and no rename, except on the
/// file systems that have no links.
void Directory::publish_marker(const std::string& temporary)
{
    if (place_.real && ::link(temporary.c_str(), file(marker_name).c_str()) == 0) {
        made_marker_ = true;
    } else if (place_.real && errno == EEXIST) {
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
    if (!place_.real) {
        return;
    }
    lock_ = ::open(file(marker_name).c_str(), O_RDONLY | O_CLOEXEC);
    if (lock_ < 0) {
        fail_open(file(marker_name), errno);
    }
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            made_marker_ = false;  // whoever has it locked counts on it
            made_directory_ = false;
            fail(Error::locked, place_.path + " is open already");
        }
        fail_open(file(marker_name), errno);
    }
}

void Directory::unlock() noexcept
{
    if (lock_ >= 0) {
        ::close(lock_);
    }
}

void Directory::sync_directory(const std::string& directory) const
{
    if (place_.disk != nullptr) {
        check_open(place_.disk->sync_directory(directory));
    }
}

void Directory::remember(bool create_if_missing)
{
    std::set<std::string> names = children();
    check_writable(names);
    before_ = std::move(names);
    if (before_.contains(current_name)) {
        std::string text;
        check_open(leveldb::ReadFileToString(place_.env, file(current_name), &text));
        current_before_ = std::move(text);
    } else if (!std::all_of(before_.begin(), before_.end(), is_unfinished_creation)) {
        fail(Error::damaged, file(current_name) + " is missing");
    } else if (!create_if_missing) {
        fail(Error::open_failed, "there is no database in " + place_.path);
    }
    for (const std::string& name : before_) {
        if (name.ends_with(".log")) {
            std::uint64_t bytes = 0;
            check_open(place_.env->GetFileSize(file(name), &bytes));
            log_bytes_before_ += bytes;
        }
    }
}

void Directory::restore_current()
{
    std::string now;
    if (!current_before_ || (leveldb::ReadFileToString(place_.env, file(current_name), &now).ok() &&
                             now == *current_before_)) {
        return;
    }
    const std::string temporary = file(unfinished_name(marker_name));
    write_synced(*place_.env, temporary, *current_before_);
    check_open(place_.env->RenameFile(temporary, file(current_name)));
    sync_directory(place_.path);
}

void Directory::remove_new_files()
{
    if (before_.empty()) {
        return;  // it did not come so far that anything was made
    }
    if (!before_.contains(current_name) && place_.env->RemoveFile(file(current_name)).ok()) {
        sync_directory(place_.path);
    }
    for (const std::string& name : children()) {
        if (!before_.contains(name)) {
            place_.env->RemoveFile(file(name));
        }
    }
    sync_directory(place_.path);
}

/// Files are removed only once CURRENT is known not to point to them, and the marker only once they
/// are known to be gone: a power cut in here must not leave what no open understands.
void Directory::rollback() noexcept
{
    try {
        restore_current();
        remove_new_files();
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
