// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <leveldb/write_batch.h>

#include <cstddef>
#include <string_view>

namespace keywatch::storage {

/// A set of writes that the store applies atomically.
class Batch {
public:
    void put(std::string_view key, std::string_view value);
    void erase(std::string_view key);
    /// Appends the writes of another batch.
    void append(const Batch& other);
    void clear();

    bool empty() const noexcept { return writes_ == 0; }
    std::size_t writes() const noexcept { return writes_; }
    /// Returns the size of the batch in LevelDB's log.
    std::size_t bytes() const { return batch_.ApproximateSize(); }
    /// Returns the size of keys and values plus an estimate of what LevelDB's memory table adds.
    std::size_t memory_bytes() const noexcept { return memory_bytes_; }

private:
    friend class Store;
    leveldb::WriteBatch batch_;
    std::size_t writes_ = 0;
    std::size_t memory_bytes_ = 0;
};

}  // namespace keywatch::storage
