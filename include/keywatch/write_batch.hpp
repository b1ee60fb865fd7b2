// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace keywatch {
class BulkWriter;
}

namespace [[gnu::visibility("default")]] keywatch {

namespace asio = boost::asio;

/// How a `WriteBatch` makes transactions. Zero is refused with `Error::invalid_option`.
struct WriteBatchOptions {
    /// Not an aggregate: see Options.
    WriteBatchOptions() {}

    /// With so many bytes of keys and values a transaction is full; each write counts 64 more, and
    /// erases count what they erase. A single larger write is a transaction of its own. Never more
    /// than a fifth of `Options::max_transaction_bytes`.
    std::size_t batch_bytes = std::size_t{512} << 10;

    /// Transactions that may be waiting to be committed, or be committed, while the next one is
    /// gathered; when there are so many, `put` and `erase` wait.
    std::size_t in_flight = 2;

    /// The origin of the commits: see `Transaction::set_origin`.
    std::string origin;
};

/// Writes without end, for loading much: they are gathered into transactions, which are committed
/// one after the other while the next one is gathered. Made by `Database::write_batch`.
///
/// Every transaction is a commit with a revision of its own, so others see the load in parts. They
/// are committed in the order of the calls: at any time a prefix of the writes is there, and
/// `committed()` tells how many. Memory is bounded by `batch_bytes` times `in_flight` + 1, besides
/// a single write.
///
/// When a transaction fails, none of its writes are there, nor any later ones, and nothing more is
/// committed: `put` and `erase` throw its error until `flush()` has thrown it and dropped what was
/// gathered. Then the batch can be used again, from the write behind the first `committed()`.
/// (After `storage_failed` only opening the database anew tells whether the failed transaction is
/// there.)
///
/// With its end a batch drops what is not being committed, as `cancel()` does.
///
/// Thread safety: distinct objects; one object from several threads, but one call at a time, which
/// ends when what it returned was awaited (`batch_in_use`). Lifetime: it counts as a handle to the
/// database. If the execution context of a call is destroyed while what it handed over is being
/// committed, that fails with `operation_aborted` at the next call on another context.
class WriteBatch {
public:
    /// @cond no part of the interface
    explicit WriteBatch(std::shared_ptr<BulkWriter> writer);
    /// @endcond
    /// What is moved from can only be destroyed or assigned to.
    WriteBatch(WriteBatch&& other) noexcept;
    /// As the constructor; what was gathered here is dropped.
    WriteBatch& operator=(WriteBatch&& other) noexcept;
    ~WriteBatch();

    /// Adds a write, at once: the bytes are copied before this returns. What it returns is to be
    /// awaited before the next call; that waits, without suspending as a rule, until there is room
    /// for more.
    ///
    /// Errors: `empty_key`, `invalid_name`, `transaction_too_large` of what no transaction can
    /// hold (the write is not added, and the batch goes on); that of an earlier transaction;
    /// `batch_in_use`. Cancellation: terminal, while it waits; the write was added all the same.
    [[nodiscard]] asio::awaitable<void> put(std::string_view bucket, std::string_view key,
                                            std::string_view value);
    /// The same, and the key has this time to live, from the transaction on that it is in. Also
    /// `invalid_ttl`, as `BTree::put`.
    [[nodiscard]] asio::awaitable<void> put(std::string_view bucket, std::string_view key,
                                            std::string_view value, std::chrono::milliseconds ttl);
    /// As `put`; an erase of a key that is not there is none.
    [[nodiscard]] asio::awaitable<void> erase(std::string_view bucket, std::string_view key);

    /// Commits what was gathered, and waits for everything. Gives the revision of the last commit;
    /// 0 if there was none.
    ///
    /// Errors: that of the first transaction that failed (`bucket_not_found`, `closed`,
    /// `storage_failed`, `transaction_too_large`); `batch_in_use`. Cancellation: terminal; what was
    /// gathered stays, and flush() can be called again.
    asio::awaitable<Revision> flush();

    /// Drops what was gathered and what waits, and an error; the transaction that is being
    /// committed, if there is one, goes on. `batch_in_use`.
    void cancel();

    /// How many of all puts and erases so far are durable, in the order of the calls.
    std::uint64_t committed() const;

private:
    BulkWriter& writer() const;

    std::shared_ptr<BulkWriter> writer_;
};

}  // namespace keywatch
