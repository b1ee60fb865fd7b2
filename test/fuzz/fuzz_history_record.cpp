// SPDX-License-Identifier: BSL-1.0
// Decodes arbitrary bytes as history records. They are read or refused, with memory in proportion
// to their size, and a record that was read is read again when it is written anew.
#include "fuzz/require.hpp"
#include "storage/format/history_record.hpp"

#include <bit>
#include <memory>

using namespace keywatch;
using namespace keywatch::storage;
using keywatch::test::require;

namespace {

/// A message takes at least six bytes, and a name at least one.
constexpr std::size_t most_memory_per_byte = sizeof(Message) / 6 + sizeof(std::string_view) + 16;

bool same_score(std::optional<double> a, std::optional<double> b)
{
    return a.has_value() == b.has_value() &&
           (!a || std::bit_cast<std::uint64_t>(*a) == std::bit_cast<std::uint64_t>(*b));
}

bool same(const Message& a, const Message& b)
{
    return a.revision == b.revision && a.index == b.index && a.structure == b.structure &&
           a.operation == b.operation && a.cause == b.cause && a.ends_bucket == b.ends_bucket &&
           a.last_in_commit == b.last_in_commit && a.bucket == b.bucket && a.key == b.key &&
           a.value == b.value && a.previous == b.previous && same_score(a.score, b.score) &&
           same_score(a.previous_score, b.previous_score) && a.list_index == b.list_index &&
           a.count == b.count && a.deadline == b.deadline && a.time == b.time &&
           a.origin == b.origin;
}

void check_same(const CommitRecord& a, const CommitRecord& b)
{
    require(a.previous == b.previous && a.time == b.time && a.origin == b.origin,
            "the record says the same of itself");
    require(a.messages.size() == b.messages.size(), "there are as many messages");
    for (std::size_t i = 0; i < a.messages.size(); ++i) {
        require(same(a.messages[i], b.messages[i]), "the messages are the same");
    }
}

std::string written_anew(const CommitRecord& record)
{
    RecordWriter writer;
    writer.set_origin(record.origin);
    for (const Message& message : record.messages) {
        writer.add(writer.bucket(message.bucket), message);
    }
    Totals totals;
    return writer.finish(record.previous, record.time, totals);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    constexpr Revision revision = UINT64_MAX;
    const auto header = decode_header(bytes);
    const auto record = decode_record(revision, bytes);
    const auto slab = std::make_shared<Slab>();
    const auto in_slab = decode_record(revision, std::pmr::string(bytes, slab.get()), slab);
    require(!record == !in_slab, "where it lies does not matter");
    if (!record) {
        return 0;
    }
    require(header && header->previous == record->previous && header->time == record->time,
            "the header alone tells the same");
    require(record->pinned_bytes() <= sizeof(CommitRecord) + 64 + size * most_memory_per_byte,
            "it takes no more memory than its bytes are worth");
    check_same(*record, *in_slab);
    const std::string again = written_anew(*record);
    const auto read_again = decode_record(revision, again);
    require(read_again != nullptr, "what was written anew is read");
    check_same(*record, *read_again);
    require(written_anew(*read_again) == again, "and is written as the same bytes from then on");
    return 0;
}
