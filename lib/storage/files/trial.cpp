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
    current_ = read_small_file(*place_.env, place_.file(current_file));
    const std::string kept = place_.file(aside_name(current_file));
    if (!place_.files || !place_.files->link_file(place_.file(current_file), kept).ok()) {
        try {
            write_synced(*place_.env, kept, current_);
        } catch (const boost::system::system_error&) {
            place_.env->RemoveFile(kept);
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
    const std::string current = place_.file(current_file);
    std::string now;
    if (leveldb::ReadFileToString(place_.env, current, &now).ok() && now == current_) {
        return;
    }
    const std::string kept =
        kept_current_.empty() ? place_.file(aside_name(current_file)) : kept_current_;
    if (kept_current_.empty()) {
        write_synced(*place_.env, kept, current_);
    }
    check_open(place_.env->RenameFile(kept, current));
    sync_directory(place_);
}

void Trial::remove_new_files() const
{
    if (!before_.contains(std::string(current_file)) &&
        place_.env->RemoveFile(place_.file(current_file)).ok()) {
        sync_directory(place_);
    }
    for (const std::string& name : children_of(place_)) {
        if (before_.contains(name)) {
            continue;
        }
        const auto original = name_set_aside(name);
        if (original && *original != current_file) {
            check_open(place_.env->RenameFile(place_.file(name), place_.file(*original)));
        } else {
            place_.env->RemoveFile(place_.file(name));
        }
    }
    sync_directory(place_);
}

void Trial::end() const noexcept
{
    try {
        for (const std::string& name : children_of(place_)) {
            if (name_set_aside(name)) {
                place_.env->RemoveFile(place_.file(name));
            }
        }
    } catch (...) {  // the next open tries again
    }
}

}  // namespace keywatch::storage
