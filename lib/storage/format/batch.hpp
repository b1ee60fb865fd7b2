// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <leveldb/write_batch.h>

#include <cstddef>
#include <string_view>

namespace keywatch::storage {

/// Writes that the store applies all or none.
class Batch {
public:
    void put(std::string_view key, std::string_view value);
    void erase(std::string_view key);
    /// Adds the writes of another batch behind its own.
    void append(const Batch& other);
    void clear();

    bool empty() const noexcept { return writes_ == 0; }
    std::size_t writes() const noexcept { return writes_; }
    /// What it takes in LevelDB's log.
    std::size_t bytes() const { return batch_.ApproximateSize(); }
    /// Keys and values, and an estimate of what LevelDB's memory table adds to them.
    std::size_t memory_bytes() const noexcept { return memory_bytes_; }

private:
    friend class Store;
    leveldb::WriteBatch batch_;
    std::size_t writes_ = 0;
    std::size_t memory_bytes_ = 0;
};

}  // namespace keywatch::storage
