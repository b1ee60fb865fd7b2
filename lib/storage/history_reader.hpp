// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "storage/format/history_record.hpp"

#include <leveldb/iterator.h>

#include <memory>
#include <memory_resource>
#include <optional>
#include <string>

namespace keywatch::storage {

/// Walks over history record by record and puts their parts together. Anything in the history area
/// that is not a whole record throws `damaged`.
class HistoryReader {
public:
    /// The iterator throws when something cannot be read, as those of the store do.
    explicit HistoryReader(std::unique_ptr<leveldb::Iterator> iterator);

    /// To the first record at or after `revision`.
    void seek(Revision revision);

    /// Whether it stands on a record. The next two are of that one.
    bool valid() const noexcept { return valid_; }
    Revision revision() const noexcept { return revision_; }
    const RecordHeader& header() const noexcept { return header_; }

    /// Whether it is small, as most records are.
    bool is_short() const { return iterator_->value().size() <= 4096; }

    /// The record's bytes, in this memory; moves on to the next one.
    std::pmr::string take(std::pmr::memory_resource* memory = std::pmr::get_default_resource());
    /// Moves on to the next one.
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
