// SPDX-License-Identifier: BSL-1.0
#include "checked_table.hpp"

#include "table_format.hpp"

#include "storage/failed_reads.hpp"

#include <utility>

namespace keywatch::storage {

CheckedTable::CheckedTable(std::string name, std::unique_ptr<leveldb::RandomAccessFile> base,
                           std::uint64_t size)
    : name_(std::move(name)), base_(std::move(base)), size_(size)
{
}

CheckedTable::~CheckedTable() = default;

leveldb::Status CheckedTable::Read(std::uint64_t offset, std::size_t size, leveldb::Slice* result,
                                   char* scratch) const
{
    leveldb::Status status = base_->Read(offset, size, result, scratch);
    if (status.ok()) {
        status = check(offset, size, *result);
    }
    if (!status.ok()) {
        *result = leveldb::Slice();
        FailedReads::note(status);
    }
    return status;
}

leveldb::Status CheckedTable::check(std::uint64_t offset, std::size_t size,
                                    const leveldb::Slice& bytes) const
{
    const std::string_view read(bytes.data(), bytes.size());
    if (refused_.load(std::memory_order_relaxed)) {
        return damage(offset, "the filter is damaged, so the table is not read");
    }
    if (read.size() != size) {
        return damage(offset, "the file ends too early");
    }
    if (size == footer_bytes && offset + size == size_) {
        const auto footer = parse_footer(read, size_);
        if (!footer) {
            return damage(offset, "the footer is damaged");
        }
        metaindex_.store(footer->metaindex.offset, std::memory_order_relaxed);
        return leveldb::Status::OK();
    }
    if (!is_whole_block(read)) {
        if (offset + size >= metaindex_.load(std::memory_order_relaxed)) {
            refused_.store(true, std::memory_order_relaxed);
        }
        return damage(offset, "a block is damaged");
    }
    return leveldb::Status::OK();
}

leveldb::Status CheckedTable::damage(std::uint64_t offset, const char* what) const
{
    return leveldb::Status::Corruption(name_ + " at byte " + std::to_string(offset), what);
}

}  // namespace keywatch::storage
