// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "log_format.hpp"
#include "manifest_edit.hpp"

#include <leveldb/env.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace keywatch::storage {

/// Returns the number in the name of a log, <number>.log, or nullopt for other files.
std::optional<std::uint64_t> log_number(std::string_view name);
bool is_manifest(std::string_view name);

/// Checks the files that LevelDB reads while it opens a database: the manifest, then the logs from
/// the oldest to the newest. LevelDB must run with `paranoid_checks`, so that it treats an
/// unreadable log as an error.
///
/// 1. The writes of all logs together are numbered without a gap. Within a log, a write with
///    another number ends the log: it is left over from an earlier use of the disk space. At the
///    beginning of a later log, a number that is too high means that writes are missing. That is
///    damage, since a log is synced before the next one is created.
/// 2. Only the last log may lack its end. If it has a mark, it must be complete as well.
/// 3. The log that the manifest names must exist, and so must the log after one with the mark
///    `rotated`.
/// 4. The last record of a manifest may be missing. No other record may.
class LogRecovery {
public:
    /// `env` is not owned.
    explicit LogRecovery(leveldb::Env& env) : env_(&env) {}

    /// Returns true if this file is to be checked.
    static bool checks(std::string_view name) { return log_number(name) || is_manifest(name); }
    leveldb::Status open(const std::string& name, leveldb::SequentialFile** file);

private:
    class Manifest;
    class WriteLog;
    enum class Sequence { next, stale, gap };

    void note(const ManifestEdit& edit);
    leveldb::Status note_logs(const std::string& manifest);
    Sequence sequence_of(const WriteHeader& write, bool first_of_log);

    leveldb::Env* env_;
    std::set<std::uint64_t> logs_;     ///< numbers of the existing logs
    std::uint64_t oldest_needed_ = 0;  ///< number of the oldest log needed, or 0 if none is
    // Bounds of the first sequence in the oldest log needed, as of when the manifest began to need
    // it.
    std::uint64_t least_first_ = 0;
    std::uint64_t most_first_ = UINT64_MAX;
    std::optional<std::uint64_t> last_sequence_;
    std::optional<std::uint64_t> next_;  ///< next sequence; set once a write was read
    bool begins_damaged_ = false;
};

}  // namespace keywatch::storage
