// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "backup_target.hpp"

#include "storage/files/environment.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch::storage {

/// The files of a store as they were at one moment, kept as long as this object exists.
///
/// LevelDB changes its files in two ways only: it appends to the manifest and to the newest log,
/// and it removes what is no longer needed. If removals are held, the files, up to their lengths at
/// one moment, are what a crash at that moment would have left. Opening them yields the state of
/// that moment, since every write was complete. Unlike after a crash, the copy of the newest log
/// has a mark at its end (LogMark).
///
/// 1. Removals are held before anything is read.
/// 2. Logs are noted first, then the manifest: every log that the manifest still needs is among
///    them, even if a memory table is written out in between. No write is running, so no log is
///    created.
/// 3. Tables are noted after the manifest: all tables that it names exist. Tables that are being
///    written, or were written since, are copied too if they are listed. Opening removes those that
///    the manifest does not name.
class StoreBackup {
public:
    StoreBackup(Environment& environment, std::string path);
    StoreBackup(const StoreBackup&) = delete;
    StoreBackup& operator=(const StoreBackup&) = delete;
    ~StoreBackup();

    // The steps, in this order: see Store::start_backup.
    /// Precondition: no write is running, and none begins.
    void note_logs_and_manifest();
    void note_tables();
    void set_identity(const BackupIdentity& identity) { identity_ = identity; }

    const BackupIdentity& identity() const noexcept { return identity_; }

    /// Copies everything. Calls `check` between chunks and passes its exceptions on.
    void copy_to(BackupTarget& target, const std::function<void()>& check) const;

private:
    struct File {
        std::string name;
        std::uint64_t size;
        std::string tail;  ///< appended to the copy
    };

    std::string path_of(std::string_view name) const { return path_ + "/" + std::string(name); }
    void note(const std::string& name);
    void copy(const File& file, BackupTarget& target, const std::function<void()>& check) const;

    Environment& environment_;
    const std::string path_;
    BackupIdentity identity_;
    std::string current_;
    std::vector<File> files_;
};

}  // namespace keywatch::storage
