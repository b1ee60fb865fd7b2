// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>
#include <keywatch/position.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace [[gnu::visibility("default")]] keywatch {

/// Figures about an open database, as returned by `Database::stats`. Counts begin when the database
/// is opened. Amounts and sizes are current values.
struct Stats {
    /// Figures of transactions and of making them durable.
    struct Engine {
        /// The revision returned by `Database::head_revision`.
        Revision head_revision = 0;
        /// Number of durable commits. Divided by `groups`: the average number of commits that share
        /// a write.
        std::uint64_t commits = 0;
        /// Number of transactions that changed nothing and therefore made no commit.
        std::uint64_t unchanged = 0;
        /// Number of transactions that failed: their function threw, `transaction_too_large`,
        /// `storage_failed`. Transactions that were cancelled or refused before their turn are not
        /// counted.
        std::uint64_t failed = 0;
        /// Number of writes to the storage, each of one or more commits.
        std::uint64_t groups = 0;
        /// The largest number of commits in one such write.
        std::uint64_t largest_group = 0;
        /// Number of such writes that were flushed to disk (`Durability::sync`).
        std::uint64_t flushes = 0;
        /// The time these flushes took, including the writes.
        std::chrono::nanoseconds flush_time{};
        /// The size of these writes in bytes: data, history and catalogue, as the storage logs
        /// them.
        std::uint64_t bytes_written = 0;
        /// Number of keys removed because they had expired, by the sweep or by a transaction that
        /// wrote to them before the sweep.
        std::uint64_t expired = 0;
        /// The size of the executed transactions that are not durable yet, as counted for
        /// `Options::max_pending_bytes`.
        std::uint64_t pending_bytes = 0;
        /// Number of calls of `update()` that wait for the writer lock.
        std::uint64_t waiting = 0;
        /// The difference between the time of the database and the clock. For this long, commits
        /// have the same time and nothing expires. 0 unless the clock went backwards.
        std::chrono::microseconds clock_lead{};
        /// The size of the reserve on the disk (`Options::reserve_bytes`). 0 if it does not exist
        /// (yet), or if it was given up because the disk was full or nearly full when the database
        /// was opened.
        std::uint64_t reserve_bytes = 0;
    };

    /// Figures of history. If history is empty, all are zero except the revisions, and
    /// `oldest_revision` is `newest_revision` + 1.
    struct History {
        /// The revision returned by `Database::oldest_revision`.
        Revision oldest_revision = 0;
        /// The revision of the newest record.
        Revision newest_revision = 0;
        /// The time of the oldest commit.
        Time oldest_time{};
        /// Number of commits in history.
        std::uint64_t commits = 0;
        /// Number of changes in these commits.
        std::uint64_t messages = 0;
        /// The encoded size of history in bytes.
        std::uint64_t bytes = 0;
        /// Number of commits trimmed since the database was opened.
        std::uint64_t trimmed = 0;
    };

    /// Figures of routing commits to the watchers.
    struct Pipeline {
        /// The revision R through which everything has been pushed to the inboxes of watchers or
        /// delivered.
        Revision routed_revision = 0;
        /// Number of commits in the hub that wait for the collector.
        std::uint64_t hub_commits = 0;
        /// Number of changes in these commits.
        std::uint64_t hub_messages = 0;
        /// Number of commits that the hub had no room for.
        std::uint64_t overwritten = 0;
        /// Number of commits that the collector read from history because the hub no longer had
        /// them.
        std::uint64_t read_from_history = 0;
        /// Number of batches that were routed. This and the next two figures include commits that
        /// no watcher selects, but not those made while no watch was running.
        std::uint64_t batches = 0;
        /// Number of commits that were routed.
        std::uint64_t commits = 0;
        /// Number of changes in these commits.
        std::uint64_t messages = 0;
        /// Number of commits offered to inboxes: one for each commit and each watcher that it
        /// matches.
        std::uint64_t entries = 0;
    };

    /// Figures of all watches of this database.
    struct Watchers {
        /// Number of watches created by `Database::watch`.
        std::uint64_t made = 0;
        /// Number of watches that the pipeline has accepted and that have not ended.
        std::uint64_t running = 0;
        /// Number of watches that have run and ended.
        std::uint64_t ended = 0;
        /// The sum of `WatcherInfo::fell_behind` over all watches, including those that have ended.
        std::uint64_t fell_behind = 0;
        /// Number of commits delivered whole. May lag by what a worker has taken from its inbox and
        /// is delivering.
        std::uint64_t commits_delivered = 0;
        /// Number of messages of these commits that were delivered.
        std::uint64_t messages_delivered = 0;
    };

    Engine engine;      ///< transactions and durability
    History history;    ///< the history
    Pipeline pipeline;  ///< routing of commits
    Watchers watchers;  ///< the watches
};

}  // namespace keywatch
