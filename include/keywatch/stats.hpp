// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>
#include <keywatch/position.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace [[gnu::visibility("default")]] keywatch {

/// Figures about an open database, as `Database::stats` gives them. Those that count something
/// count from its opening on; those that say how much there is are of now.
struct Stats {
    /// Transactions, and making them durable.
    struct Engine {
        /// As `Database::head_revision`.
        Revision head_revision = 0;
        /// Durable commits. Divided by `groups`: how many share a write.
        std::uint64_t commits = 0;
        /// Transactions that changed nothing, and so made no commit.
        std::uint64_t unchanged = 0;
        /// Transactions that left no trace: what they threw, `transaction_too_large`,
        /// `storage_failed`. Not those that were cancelled, or refused, before they had their turn.
        std::uint64_t failed = 0;
        /// Writes to the storage, each of one commit or of several.
        std::uint64_t groups = 0;
        /// The most commits that one of them had.
        std::uint64_t largest_group = 0;
        /// Those of them that were flushed to the disk (`Durability::sync`).
        std::uint64_t flushes = 0;
        /// The time that this took, with their writing.
        std::chrono::nanoseconds flush_time{};
        /// The size of those writes: data, history and catalogue, as the storage logs them.
        std::uint64_t bytes_written = 0;
        /// Keys that were removed because their time was over, by the sweep or by a transaction
        /// that wrote to them before it.
        std::uint64_t expired = 0;
        /// What executed transactions that are not durable yet count for
        /// `Options::max_pending_bytes`.
        std::uint64_t pending_bytes = 0;
        /// Calls of `update()` that wait for their turn.
        std::uint64_t waiting = 0;
        /// How far the time of the database is ahead of what the clock tells: for so long commits
        /// have the same time and nothing expires. It is 0 unless the clock has gone back.
        std::chrono::microseconds clock_lead{};
        /// The size of the reserve on the disk (`Options::reserve_bytes`). 0 if there is none
        /// (yet), or if it was given up: the disk was full when the database was opened.
        std::uint64_t reserve_bytes = 0;
    };

    /// What history has; all zero, and `oldest_revision` one more than `newest_revision`, if there
    /// is none.
    struct History {
        /// As `Database::oldest_revision`.
        Revision oldest_revision = 0;
        /// Of the newest record.
        Revision newest_revision = 0;
        /// When the oldest commit was made.
        Time oldest_time{};
        /// How many are kept.
        std::uint64_t commits = 0;
        /// How many changes they have.
        std::uint64_t messages = 0;
        /// As encoded.
        std::uint64_t bytes = 0;
        /// Commits that were trimmed since the opening.
        std::uint64_t trimmed = 0;
    };

    /// Carrying commits to the watchers.
    struct Pipeline {
        /// R: watchers have been given, or have in their inboxes, everything up to here.
        Revision routed_revision = 0;
        /// Waiting in the hub for the collector.
        std::uint64_t hub_commits = 0;
        /// The changes of those.
        std::uint64_t hub_messages = 0;
        /// Commits that the hub had no room for.
        std::uint64_t overwritten = 0;
        /// Commits that the collector read from history, as the hub did not have them any more.
        std::uint64_t read_from_history = 0;
        /// Batches that were routed. This and the next two count what no watcher wanted, too, but
        /// nothing that was committed while nobody watched.
        std::uint64_t batches = 0;
        /// Commits that were routed.
        std::uint64_t commits = 0;
        /// The changes of those.
        std::uint64_t messages = 0;
        /// Commits offered to inboxes: one for each commit and watcher that it matches.
        std::uint64_t entries = 0;
    };

    /// All watches of this database.
    struct Watchers {
        /// By `Database::watch`.
        std::uint64_t made = 0;
        /// Taken in by the pipeline and not ended.
        std::uint64_t running = 0;
        /// Of those that ran.
        std::uint64_t ended = 0;
        /// The sum of their `WatcherInfo::fell_behind`, ended ones included.
        std::uint64_t fell_behind = 0;
        /// Commits delivered whole. It may lag behind by what a worker has taken from its inbox and
        /// is delivering.
        std::uint64_t commits_delivered = 0;
        /// The messages of those that were delivered.
        std::uint64_t messages_delivered = 0;
    };

    Engine engine;      ///< see there
    History history;    ///< see there
    Pipeline pipeline;  ///< see there
    Watchers watchers;  ///< see there
};

}  // namespace keywatch
