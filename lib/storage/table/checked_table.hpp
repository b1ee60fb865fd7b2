// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <leveldb/env.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace keywatch::storage {

/// A table file that gives only what was written to it.
///
/// LevelDB reads a table's footer, and whole blocks with their checksums, and nothing else. So each
/// read can be checked by itself, whatever it is for: indexes, filters, and what compaction reads
/// are covered too. LevelDB alone verifies none of these, and ends the process or writes wrong
/// bytes with a new checksum when it meets them.
///
/// A read of wrong bytes fails with `Corruption`. All failures are noted (see FailedReads).
///
/// Thread safety: as that of `base`.
class CheckedTable final : public leveldb::RandomAccessFile {
public:
    CheckedTable(std::string name, std::unique_ptr<leveldb::RandomAccessFile> base,
                 std::uint64_t size);
    ~CheckedTable() override;

    leveldb::Status Read(std::uint64_t offset, std::size_t size, leveldb::Slice* result,
                         char* scratch) const override;

private:
    leveldb::Status check(std::uint64_t offset, std::size_t size,
                          const leveldb::Slice& bytes) const;
    leveldb::Status damage(std::uint64_t offset, const char* what) const;

    const std::string name_;
    const std::unique_ptr<leveldb::RandomAccessFile> base_;
    const std::uint64_t size_;
    /// Where the metaindex begins, once the footer was read. The filter is right before it.
    mutable std::atomic<std::uint64_t> metaindex_{UINT64_MAX};
    /// The filter, or the metaindex, is damaged. LevelDB goes on without; nothing is read any more.
    mutable std::atomic<bool> refused_{false};
};

}  // namespace keywatch::storage
