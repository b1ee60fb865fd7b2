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

/// What an acknowledged commit has survived.
enum class Durability : std::uint8_t {
    /// It is on disk: a power cut loses nothing that was acknowledged.
    sync,
    /// The operating system has it: a crash of the process loses nothing; a power cut may lose the
    /// newest commits, and leaves a prefix of the commit order.
    buffered,
};

/// How much history is kept for watchers that start in the past or have fallen behind. Records are
/// trimmed in the background, oldest first, once one of these limits is exceeded by a thirty-second
/// part of it; the newest one always stays. It is looked at when a database is opened and with
/// every commit. Watchers, running or not, hold nothing back; cursors do: what lies behind one of
/// them stays, whatever the limits, until `hard_bytes`.
struct HistoryLimits {
    HistoryLimits() {}  // not an aggregate: see Options

    /// Commits older than this are trimmed. From 1000 years on there is no such limit.
    std::chrono::seconds age = std::chrono::hours{24 * 7};
    /// Total size of history, in bytes as encoded.
    std::uint64_t bytes = std::uint64_t{1} << 30;
    /// Number of commits.
    std::uint64_t commits = UINT64_MAX;
    /// Above this size, in bytes, records are trimmed even if a cursor holds them back, which then
    /// has fallen out of history (`CursorLag::compacted`) and holds back nothing any more. If it is
    /// smaller than `bytes`, it counts in its place.
    std::uint64_t hard_bytes = std::uint64_t{4} << 30;
};

/// How a database is opened.
///
/// Zero and negative values are refused with `Error::invalid_option`.
///
/// It has a constructor on purpose: g++ 12 destroys temporaries of aggregate types twice when they
/// stand in the same expression as a `co_await`.
struct Options {
    /// `location`: a directory, made if it does not exist (its parent must), or `memory:` for a
    /// database that is gone when it is closed. A NUL byte in it is refused.
    explicit Options(std::string location_) : location(std::move(location_)) {}
    /// The same.
    explicit Options(const char* location_) : location(location_) {}

    /// As the constructor was given it.
    std::string location;

    /// Keep history, so that commits can be watched. It costs about half a commit, so it is asked
    /// for. Commits made without it are lost to watchers for good: positions from before end with
    /// `Error::compacted`.
    bool enable_watch = false;

    /// What an acknowledged commit has survived.
    Durability durability = Durability::sync;

    /// Open fails with `Error::open_failed` if this is false and there is no database yet.
    bool create_if_missing = true;

    /// Changes nothing on disk: the directory stays byte for byte as it is, and need not be
    /// writable. What was committed can be read, backed up, and watched as far as there is history;
    /// everything that writes fails with `Error::read_only`. Opening holds in memory what the logs
    /// have, at most some three times the `write_buffer_bytes` that they were written with. Several
    /// readers may have a database open at a time, but none beside a writer, and no writer beside
    /// them: `Error::locked`.
    bool read_only = false;

    /// How much history is kept.
    HistoryLimits history;

    /// Record with every put of a BTree what it replaced. Where it is not known anyway that takes a
    /// read more; its bytes are in history, and count for `max_transaction_bytes`.
    bool previous_values = false;

    /// The time of commits and deadlines; the system's clock if it is empty. What it tells never
    /// goes backwards in one database: an earlier time counts as the latest one that was seen.
    /// While keys have deadlines it is looked at every half a second at least, by the database's
    /// thread.
    Clock clock;

    /// Largest sum of keys, values and messages that one transaction may write, in bytes. Each
    /// write counts 64 bytes more. Above it, and above 2 GiB in any case,
    /// `Error::transaction_too_large`.
    std::size_t max_transaction_bytes = std::size_t{64} << 20;

    /// Bytes of executed transactions that may wait for the disk; above it `update()` waits longer.
    std::size_t max_pending_bytes = std::size_t{64} << 20;

    /// Memory for blocks that were read from disk and verified, in bytes: a limit, which is reached
    /// only by reading so much. A block that is not there is read from its file, which takes about
    /// as long as two reads of cached ones even if the system has the file in memory.
    std::size_t cache_bytes = std::size_t{256} << 20;

    /// Size of the memory table that collects writes before they are sorted to disk, in bytes; at
    /// least 64 KiB.
    std::size_t write_buffer_bytes = std::size_t{16} << 20;

    /// Space that is kept on the disk for the time when it is full, in bytes: a file that an open
    /// gives up if it finds no other room, so that it succeeds and data can be deleted. 0: none. If
    /// it is empty, three times `write_buffer_bytes` and 16 MiB. It is made once there is more data
    /// than fits into the memory table, from a quarter of the free space at most;
    /// `Stats::Engine::reserve_bytes` tells how large it is.
    std::optional<std::uint64_t> reserve_bytes;

    /// The newest commits, between the writers and the collector, in messages. What does not fit is
    /// read from history.
    std::size_t hub_messages = 1024;
    /// The same, in bytes.
    std::size_t hub_bytes = std::size_t{4} << 20;

    /// Batches between the collector and the distributor.
    std::size_t distribute_batches = 128;
    /// Messages in one of them.
    std::size_t batch_messages = 1024;
    /// Bytes that all of them together may hold.
    std::size_t distribute_bytes = std::size_t{16} << 20;

    /// Sets of detached subscribers between the distributor and the victim collector.
    std::size_t victim_sets = 128;

    /// Bytes of whole commits that the inboxes of all watchers together may hold. A watcher whose
    /// inbox would exceed it falls behind and reads from history, whatever `WatchOptions::overflow`
    /// says: that others are slow is not its fault.
    std::size_t watch_bytes = std::size_t{256} << 20;
};

}  // namespace keywatch
