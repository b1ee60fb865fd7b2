// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <leveldb/env.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace keywatch::storage {

/// A table file that returns only what was written to it.
///
/// LevelDB reads the footer of a table, whole blocks with their checksums, and nothing else. So
/// each read can be checked by itself, whatever its purpose: indexes, filters, and what compaction
/// reads are covered too. LevelDB on its own verifies none of these. If it reads wrong bytes, it
/// ends the process or writes them again with a new checksum.
///
/// A read of wrong bytes fails with `Corruption`. All failures are recorded (see FailedReads).
///
/// Thread safety: the same as that of `base`.
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
    /// Offset of the metaindex, once the footer was read. The filter ends right before it.
    mutable std::atomic<std::uint64_t> metaindex_{UINT64_MAX};
    /// True if the filter or the metaindex is damaged. LevelDB would continue without them. Here,
    /// all further reads are refused.
    mutable std::atomic<bool> refused_{false};
};

}  // namespace keywatch::storage
