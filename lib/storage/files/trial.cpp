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

/// By a link, as a full disk has room for a name. Some file systems have no links. If there is no
/// room for a copy either, CURRENT is written anew should that become necessary.
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

/// Files are removed only once CURRENT is known not to point to them: a power cut in here must not
/// leave what no open understands.
void Trial::roll_back() const
{
    if (before_.empty()) {
        return;  // it did not come so far that anything was made
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
    } catch (...) {  // the next open has another try
    }
}

}  // namespace keywatch::storage
