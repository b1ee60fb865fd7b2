// SPDX-License-Identifier: BSL-1.0
#include "trial.hpp"

#include "storage/backup/backup_target.hpp"
#include "storage/failure.hpp"
#include "storage/format/format_text.hpp"

#include <utility>

namespace keywatch::storage {

void Trial::begin(std::set<std::string> names)
{
    before_ = std::move(names);
    if (before_.contains(std::string(current_file))) {
        keep_current();
    }
}

/// Creates the second name of CURRENT. A link is preferred, since even a full disk has room for a
/// name. Some file systems have no links, so a copy is the alternative. If there is no room for a
/// copy either, CURRENT is written again if that becomes necessary.
void Trial::keep_current()
{
    current_ = read_small_file(*location_.env, location_.file(current_file));
    const std::string kept = location_.file(aside_name(current_file));
    if (!location_.files || !location_.files->link_file(location_.file(current_file), kept).ok()) {
        try {
            write_synced(*location_.env, kept, current_);
        } catch (const boost::system::system_error&) {
            location_.env->RemoveFile(kept);
            return;
        }
    }
    kept_current_ = kept;
}

/// Removes files only after it is durable that CURRENT does not point to them: a power cut in
/// between must not leave a directory that no open accepts.
void Trial::roll_back() const
{
    if (before_.empty()) {
        return;  // begin() was not called, so nothing was created
    }
    restore_current();
    remove_new_files();
}

void Trial::restore_current() const
{
    if (current_.empty()) {
        return;
    }
    const std::string current = location_.file(current_file);
    std::string now;
    if (leveldb::ReadFileToString(location_.env, current, &now).ok() && now == current_) {
        return;
    }
    const std::string kept =
        kept_current_.empty() ? location_.file(aside_name(current_file)) : kept_current_;
    if (kept_current_.empty()) {
        write_synced(*location_.env, kept, current_);
    }
    check_open(location_.env->RenameFile(kept, current));
    sync_directory(location_);
}

void Trial::remove_new_files() const
{
    if (!before_.contains(std::string(current_file)) &&
        location_.env->RemoveFile(location_.file(current_file)).ok()) {
        sync_directory(location_);
    }
    for (const std::string& name : children_of(location_)) {
        if (before_.contains(name)) {
            continue;
        }
        const auto original = name_set_aside(name);
        if (original && *original != current_file) {
            check_open(location_.env->RenameFile(location_.file(name), location_.file(*original)));
        } else {
            location_.env->RemoveFile(location_.file(name));
        }
    }
    sync_directory(location_);
}

void Trial::end() const noexcept
{
    try {
        for (const std::string& name : children_of(location_)) {
            if (name_set_aside(name)) {
                location_.env->RemoveFile(location_.file(name));
            }
        }
    } catch (...) {  // the next open tries again
    }
}

}  // namespace keywatch::storage
