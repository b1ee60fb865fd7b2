// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "storage/format/history_record.hpp"

#include <leveldb/iterator.h>

#include <memory>
#include <memory_resource>
#include <optional>
#include <string>

namespace keywatch::storage {

/// Reads history record by record and joins the parts of each. Throws `damaged` on anything in the
/// history area that is not a whole record.
class HistoryReader {
public:
    /// `iterator` must throw if a read fails, like those of the store.
    explicit HistoryReader(std::unique_ptr<leveldb::Iterator> iterator);

    /// Moves to the first record at or after `revision`.
    void seek(Revision revision);

    /// Returns true if the reader is positioned on a record. Precondition of all members below.
    bool valid() const noexcept { return valid_; }
    Revision revision() const noexcept { return revision_; }
    const RecordHeader& header() const noexcept { return header_; }

    /// Returns true if the record has at most 4096 bytes, as most records have.
    bool is_short() const { return iterator_->value().size() <= 4096; }

    /// Returns the bytes of the record, allocated from `memory`, and moves to the next record.
    std::pmr::string take(std::pmr::memory_resource* memory = std::pmr::get_default_resource());
    /// Moves to the next record.
    void skip();

private:
    void load();
    void expect_part(std::uint16_t part);

    std::unique_ptr<leveldb::Iterator> iterator_;
    bool valid_ = false;
    Revision revision_ = 0;
    RecordHeader header_;
};

}  // namespace keywatch::storage
