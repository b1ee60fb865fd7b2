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

/// The number in the name of a log, <number>.log. Nothing for other files.
std::optional<std::uint64_t> log_number(std::string_view name);
bool is_manifest(std::string_view name);

/// Checks what LevelDB reads while it opens a database: the manifest, then the logs from the oldest
/// to the newest. It must be told that an unreadable log is an error (`paranoid_checks`).
///
/// 1. The writes that all logs hold together are numbered without a gap. So within a log a write
///    with another number ends it: that is what an earlier use of the disk has left. At the
///    beginning of a later log a higher number than expected means that writes are missing, which
///    is damage: a log is synced before the next one is created.
/// 2. Of the last log alone the end may be missing. If it has a mark it may not, either.
/// 3. The log that the manifest names, and the one after a log with the mark `rotated`, exist.
/// 4. The last record of a manifest may be missing, others may not.
class LogRecovery {
public:
    /// `env` is not owned.
    explicit LogRecovery(leveldb::Env& env) : env_(&env) {}

    /// Whether this is a file to be checked.
    static bool checks(std::string_view name) { return log_number(name) || is_manifest(name); }
    leveldb::Status open(const std::string& name, leveldb::SequentialFile** file);

private:
    class Manifest;
    class WriteLog;
    enum class Place { here, stale, gap };

    void note(const ManifestEdit& edit);
    leveldb::Status note_logs(const std::string& manifest);
    Place place_of(const WriteHeader& write, bool first_of_log);

    leveldb::Env* env_;
    std::set<std::uint64_t> logs_;     ///< those that exist
    std::uint64_t oldest_needed_ = 0;  ///< its number; 0: none
    // Between which the first write of the oldest log is, and when the manifest began to need it.
    std::uint64_t least_first_ = 0;
    std::uint64_t most_first_ = UINT64_MAX;
    std::optional<std::uint64_t> last_sequence_;
    std::optional<std::uint64_t> next_;  ///< once a write was read
    bool begins_damaged_ = false;
};

}  // namespace keywatch::storage
