// SPDX-License-Identifier: BSL-1.0
#include "batch.hpp"

namespace keywatch::storage {

namespace {

leveldb::Slice slice(std::string_view bytes)
{
    return {bytes.data(), bytes.size()};
}

/// The maximum size of the memory that a batch keeps when it is cleared.
constexpr std::size_t most_kept = std::size_t{1} << 20;

/// Returns the memory that one entry takes in the memory table's arena: its own bytes, about 32 for
/// lengths, sequence number, skip list node and alignment, and its share of the unused space at the
/// ends of 4096-byte blocks. An entry larger than a quarter of a block, not counting its node, has
/// a block of its own.
std::size_t entry_memory(std::size_t key, std::size_t value)
{
    constexpr std::size_t block = 4096;
    constexpr std::size_t node = 21;
    const std::size_t bytes = key + value + 11 + node;
    return bytes - node <= block / 4 ? block / (block / bytes) : bytes;
}

}  // namespace

void Batch::put(std::string_view key, std::string_view value)
{
    batch_.Put(slice(key), slice(value));
    ++writes_;
    memory_bytes_ += entry_memory(key.size(), value.size());
}

void Batch::erase(std::string_view key)
{
    batch_.Delete(slice(key));
    ++writes_;
    memory_bytes_ += entry_memory(key.size(), 0);
}

void Batch::append(const Batch& other)
{
    batch_.Append(other.batch_);
    writes_ += other.writes_;
    memory_bytes_ += other.memory_bytes_;
}

void Batch::clear()
{
    if (batch_.ApproximateSize() > most_kept) {
        batch_ = leveldb::WriteBatch();
    }
    batch_.Clear();
    writes_ = 0;
    memory_bytes_ = 0;
}

}  // namespace keywatch::storage
