// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "history_record.hpp"

#include <leveldb/iterator.h>

#include <memory>
#include <optional>
#include <string>

namespace keywatch::storage {

/// Walks over history record by record and puts their parts together. Anything in the history area
/// that is not a whole record throws `damaged`.
class HistoryReader {
public:
    explicit HistoryReader(std::unique_ptr<leveldb::Iterator> iterator);

    /// To the first record at or after `revision`.
    void seek(Revision revision);

    /// Whether it stands on a record. The next two are of that one.
    bool valid() const noexcept { return valid_; }
    Revision revision() const noexcept { return revision_; }
    const RecordHeader& header() const noexcept { return header_; }

    /// The record's bytes; moves on to the next one.
    std::string take();
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
