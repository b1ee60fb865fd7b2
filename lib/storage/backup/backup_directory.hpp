// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "backup_target.hpp"

#include "storage/files/location.hpp"

#include <memory>
#include <string>
#include <vector>

namespace keywatch::storage {

/// A backup that is a directory. It is a database that can be opened once its marker file exists,
/// which is created last. No open mistakes what a crash leaves before that for a database.
///
/// Every file and the directory are synced before the marker is created. Unless keep() is called,
/// the destructor removes everything.
class BackupDirectory final : public BackupTarget {
public:
    /// Creates the directory. An existing directory must be empty.
    explicit BackupDirectory(Location location);
    BackupDirectory(const BackupDirectory&) = delete;
    BackupDirectory& operator=(const BackupDirectory&) = delete;
    ~BackupDirectory() override;

    void begin(const BackupIdentity& identity) override;
    void begin_file(const std::string& name, std::uint64_t size) override;
    void append(std::string_view bytes) override;
    /// Syncs all files and creates the marker.
    void finish() override;

    /// Keeps what finish() has created.
    void keep() noexcept { kept_ = true; }

private:
    std::string file(std::string_view name) const
    {
        return location_.path + "/" + std::string(name);
    }
    std::vector<std::string> children() const;
    void make_directory();
    void end_file();
    void write_marker();
    void sync_directory(const std::string& directory) const;
    void remove_all() noexcept;

    const Location location_;
    bool made_directory_ = false;
    bool kept_ = false;
    std::unique_ptr<leveldb::WritableFile> open_;
};

}  // namespace keywatch::storage
