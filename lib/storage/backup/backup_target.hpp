// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace keywatch::storage {

/// What a backup is of.
struct BackupIdentity {
    HistoryId history;
    Revision revision = 0;

    friend bool operator==(const BackupIdentity&, const BackupIdentity&) = default;
};

/// Where the files of a database are copied to, one after the other. Everything throws
/// `backup_failed` if it cannot.
class BackupTarget {
public:
    virtual ~BackupTarget() = default;

    virtual void begin(const BackupIdentity& identity) = 0;
    /// Of the last file everything has been appended.
    virtual void begin_file(const std::string& name, std::uint64_t size) = 0;
    virtual void append(std::string_view bytes) = 0;
    /// All files are there.
    virtual void finish() = 0;
};

/// How much is copied at a time.
inline constexpr std::size_t backup_chunk_bytes = std::size_t{1} << 20;

/// The file that names the newest manifest. It is copied last.
inline constexpr std::string_view current_file = "CURRENT";

/// Whether LevelDB gives a file of its data such a name: a table, a log, a manifest, or CURRENT.
bool is_data_file(std::string_view name);
/// Whether it is a table's.
bool is_table_file(std::string_view name);

}  // namespace keywatch::storage
