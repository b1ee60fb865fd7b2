// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace [[gnu::visibility("default")]] keywatch {

/// The failures that an acknowledged commit survives.
enum class Durability : std::uint8_t {
    /// The commit is on disk: a power cut loses nothing that was acknowledged.
    sync,
    /// The operating system has the commit: a crash of the process loses nothing. A power cut may
    /// lose the newest commits, and leaves a prefix of the commit order.
    buffered,
};

/// The amount of history that is kept for watchers that start in the past or have fallen behind.
///
/// Records are trimmed in the background, oldest first, once one of these limits is exceeded by
/// 1/32 of it. The newest record is always kept. The limits are checked when a database is opened
/// and with every commit. Watchers, running or not, do not hold history. Cursors do: the history
/// after a cursor is kept regardless of the other limits, up to `hard_bytes`.
struct HistoryLimits {
    HistoryLimits() {}  // makes this type a non-aggregate: see Options

    /// The maximum age. Older commits are trimmed. A value of 1000 years or more means no limit.
    std::chrono::seconds age = std::chrono::hours{24 * 7};
    /// The maximum total size of history, in bytes as encoded.
    std::uint64_t bytes = std::uint64_t{1} << 30;
    /// The maximum number of commits.
    std::uint64_t commits = UINT64_MAX;
    /// The size, in bytes, above which records are trimmed even if a cursor holds them. That cursor
    /// has then fallen out of history (`CursorLag::compacted`) and no longer holds anything. If
    /// this is smaller than `bytes`, it is used in place of `bytes`.
    std::uint64_t hard_bytes = std::uint64_t{4} << 30;
};

/// The parameters of opening a database.
///
/// Zero and negative values are refused with `Error::invalid_option`, unless noted otherwise.
///
/// This type has a constructor on purpose: g++ 12 destroys a temporary of an aggregate type twice
/// if it appears in the same expression as a `co_await`.
struct Options {
    /// Sets `location`: a directory, which is created if it does not exist (its parent must exist),
    /// or `memory:` for a database that is lost when it is closed. A NUL byte is refused.
    explicit Options(std::string location_) : location(std::move(location_)) {}
    /// Same as above.
    explicit Options(const char* location_) : location(location_) {}

    /// The location passed to the constructor.
    std::string location;

    /// True to keep history, so that commits can be watched. This adds about half to the cost of a
    /// commit, so it is off by default. Commits made without it can never be watched: older
    /// positions end with `Error::compacted`.
    bool enable_watch = false;

    /// The failures that an acknowledged commit survives.
    Durability durability = Durability::sync;

    /// If false and there is no database, opening fails with `Error::open_failed`.
    bool create_if_missing = true;

    /// True to change nothing on disk: the directory stays as it is, byte for byte, and need not be
    /// writable. The data can be read and backed up, and watched as far as history reaches.
    /// Everything that writes fails with `Error::read_only`. The contents of the logs are held in
    /// memory: at most about three times the `write_buffer_bytes` with which they were written.
    /// Several readers may have a database open at the same time, but not together with a writer
    /// (`Error::locked`).
    bool read_only = false;

    /// The limits of history.
    HistoryLimits history;

    /// True to record, with every `put` of a BTree, the value that it replaces. Where that value is
    /// not read anyway, this takes one more read. The bytes are stored in history and count for
    /// `max_transaction_bytes`.
    bool previous_values = false;

    /// The clock for commits and deadlines. If empty, the system clock. Within one database time
    /// never goes backwards: if the clock returns an earlier time, the latest time seen is used
    /// instead. While keys have deadlines, a thread of the database reads the clock at least every
    /// half second.
    Clock clock;

    /// The maximum size of a transaction: the sum of its keys, values and messages in bytes, plus
    /// 64 bytes for each write. A larger transaction fails with `Error::transaction_too_large`, and
    /// so does any transaction above 2 GiB.
    std::size_t max_transaction_bytes = std::size_t{64} << 20;

    /// The maximum size of executed transactions that wait for the disk. Above it, `update()` waits
    /// longer.
    std::size_t max_pending_bytes = std::size_t{64} << 20;

    /// Memory for blocks that were read from disk and verified, in bytes. A limit that is reached
    /// only by reading that much. A block that is not cached is read from its file, which takes
    /// about as long as two reads of cached blocks even if the operating system has the file in
    /// memory.
    std::size_t cache_bytes = std::size_t{256} << 20;

    /// The size, in bytes, of the memory table that collects writes before they are sorted to disk.
    /// At least 64 KiB.
    std::size_t write_buffer_bytes = std::size_t{16} << 20;

    /// Disk space that is reserved for the case of a full disk, in bytes. If the disk is full or
    /// nearly full, opening the database gives up this file, so that it succeeds and data can be
    /// deleted. If zero, nothing is reserved. If empty, three times `write_buffer_bytes` plus 16
    /// MiB are reserved. The file is created once there is more data than fits into the memory
    /// table, and takes at most a quarter of the free space. `Stats::Engine::reserve_bytes` shows
    /// its size.
    std::optional<std::uint64_t> reserve_bytes;

    /// The size of the hub, which holds the newest commits between the writers and the collector,
    /// in messages. Commits that do not fit are read from history.
    std::size_t hub_messages = 1024;
    /// The size of the hub in bytes.
    std::size_t hub_bytes = std::size_t{4} << 20;

    /// Number of batches between the collector and the distributor.
    std::size_t distribute_batches = 128;
    /// Number of messages in one batch.
    std::size_t batch_messages = 1024;
    /// Number of bytes in all these batches together.
    std::size_t distribute_bytes = std::size_t{16} << 20;

    /// Number of sets of detached subscribers between the distributor and the victim collector.
    std::size_t victim_sets = 128;

    /// Number of bytes of whole commits that the inboxes of all watchers together may hold. A
    /// watcher whose inbox would exceed it falls behind and reads from history, regardless of
    /// `WatchOptions::overflow`, because the cause may be other watchers that are slow.
    std::size_t watch_bytes = std::size_t{256} << 20;
};

}  // namespace keywatch
