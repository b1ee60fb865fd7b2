// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace keywatch::storage {

/// The history and the revision that a backup contains.
struct BackupIdentity {
    HistoryId history;
    Revision revision = 0;

    friend bool operator==(const BackupIdentity&, const BackupIdentity&) = default;
};

/// A target to which the files of a database are copied, one after the other. All members throw
/// `backup_failed` if they fail.
class BackupTarget {
public:
    virtual ~BackupTarget() = default;

    virtual void begin(const BackupIdentity& identity) = 0;
    /// Begins the next file. Everything of the previous file has been appended.
    virtual void begin_file(const std::string& name, std::uint64_t size) = 0;
    virtual void append(std::string_view bytes) = 0;
    /// Completes the backup. All files have been appended.
    virtual void finish() = 0;
};

/// The number of bytes copied at a time.
inline constexpr std::size_t backup_chunk_bytes = std::size_t{1} << 20;

/// The file that names the newest manifest. It is copied last.
inline constexpr std::string_view current_file = "CURRENT";

/// Returns true if this is the name of a data file of LevelDB: a table, a log, a manifest, or
/// CURRENT.
bool is_data_file(std::string_view name);
/// Returns true if this is the name of a table.
bool is_table_file(std::string_view name);

}  // namespace keywatch::storage
