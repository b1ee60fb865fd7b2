// SPDX-License-Identifier: BSL-1.0
#include "history_reader.hpp"

#include "failure.hpp"

#include "storage/format/layout.hpp"
#include "values/failure.hpp"

#include <utility>

namespace keywatch::storage {

namespace {

std::string_view view(const leveldb::Slice& slice)
{
    return {slice.data(), slice.size()};
}

[[noreturn]] void damaged(Revision revision, const char* what)
{
    fail(Error::damaged, "history record " + std::to_string(revision) + what);
}

}  // namespace

HistoryReader::HistoryReader(std::unique_ptr<leveldb::Iterator> iterator)
    : iterator_(std::move(iterator))
{
}

void HistoryReader::seek(Revision revision)
{
    iterator_->Seek(history_key(revision, 0));
    load();
}

void HistoryReader::load()
{
    valid_ = false;
    const std::string_view key = iterator_->Valid() ? view(iterator_->key()) : std::string_view();
    if (!key.starts_with(history_area)) {
        return;
    }
    const auto parsed = parse_history_key(key);
    if (!parsed || parsed->second != 0) {
        damaged(parsed ? parsed->first : 0, " lacks its first part");
    }
    const auto header = decode_header(view(iterator_->value()));
    if (!header) {
        damaged(parsed->first, " cannot be read");
    }
    revision_ = parsed->first;
    header_ = *header;
    valid_ = true;
}

std::pmr::string HistoryReader::take(std::pmr::memory_resource* memory)
{
    std::pmr::string bytes(view(iterator_->value()), memory);
    if (header_.parts > 1) {
        bytes.reserve(header_.parts * max_part_bytes);
    }
    for (std::uint16_t part = 1; part < header_.parts; ++part) {
        expect_part(part);
        bytes += view(iterator_->value());
    }
    iterator_->Next();
    load();
    return bytes;
}

void HistoryReader::skip()
{
    for (std::uint16_t part = 1; part < header_.parts; ++part) {
        expect_part(part);
    }
    iterator_->Next();
    load();
}

void HistoryReader::expect_part(std::uint16_t part)
{
    iterator_->Next();
    if (!iterator_->Valid() || view(iterator_->key()) != history_key(revision_, part)) {
        damaged(revision_, " is missing a part");
    }
}

}  // namespace keywatch::storage
