// SPDX-License-Identifier: BSL-1.0
#include "table_walk.hpp"

#include "checked_table.hpp"
#include "table_format.hpp"

#include "bytes/numbers.hpp"
#include "storage/failure.hpp"
#include "values/failure.hpp"

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace keywatch::storage {

namespace {

/// The size of the suffix of LevelDB's keys: after the user's key, 8 bytes of sequence and kind,
/// little-endian.
constexpr std::size_t suffix_bytes = 8;

std::uint64_t suffix_of(std::string_view key)
{
    return little_endian<std::uint64_t>(key.substr(key.size() - suffix_bytes));
}

/// Returns true if `first` sorts before `second`: by the user's key, then from newer to older.
bool before(std::string_view first, std::string_view second)
{
    const std::string_view key = first.substr(0, first.size() - suffix_bytes);
    const std::string_view other = second.substr(0, second.size() - suffix_bytes);
    return key != other ? key < other : suffix_of(first) > suffix_of(second);
}

bool is_key(std::string_view key)
{
    return key.size() >= suffix_bytes && (suffix_of(key) & 0xff) <= 1;
}

bool ends_as_table(const leveldb::RandomAccessFile& file, std::uint64_t size)
{
    char end[table_magic.size()];
    leveldb::Slice result;
    if (size < footer_bytes) {
        return false;
    }
    check_read(file.Read(size - sizeof end, sizeof end, &result, end));
    return std::string_view(result.data(), result.size()) == table_magic;
}

class TableWalk {
public:
    TableWalk(std::string name, const leveldb::RandomAccessFile& file, std::uint64_t size)
        : name_(std::move(name)), file_(file), size_(size)
    {
    }

    void run()
    {
        const std::string end = read(size_ - footer_bytes, footer_bytes);
        const Footer footer = require(parse_footer(end, size_));
        const std::string index = read(footer.index);
        std::uint64_t data_end = 0;
        each_entry(index, [&](std::string_view key, std::string_view value) {
            const BlockHandle block = require(parse_handle(value));
            check(is_key(key) && block.offset == data_end && block.end() > data_end &&
                  block.end() <= footer.metaindex.offset);
            walk_data(block, key);
            data_end = block.end();
        });
        each_entry(read(footer.metaindex), [&](std::string_view, std::string_view value) {
            const BlockHandle filter = require(parse_handle(value));
            check(filter.offset == data_end && filter.end() == footer.metaindex.offset);
            read(filter);
            data_end = filter.end();
        });
        check(data_end == footer.metaindex.offset);
    }

private:
    void check(bool right) const
    {
        if (!right) {
            fail(Error::damaged, name_ + " is not a table written by LevelDB");
        }
    }

    template <class Value>
    Value require(const std::optional<Value>& value) const
    {
        check(value.has_value());
        return *value;
    }

    std::string read(std::uint64_t offset, std::uint64_t size) const
    {
        check(size <= size_ && offset <= size_ - size);
        std::string bytes(size, '\0');
        leveldb::Slice result;
        check_read(file_.Read(offset, bytes.size(), &result, bytes.data()));
        return {result.data(), result.size()};
    }

    /// Reads a block without its trailer. The block must not be compressed.
    std::string read(const BlockHandle& block) const
    {
        check(block.size < size_);
        std::string bytes = read(block.offset, block.size + block_trailer_bytes);
        check(bytes[block.size] == 0);
        bytes.resize(block.size);
        return bytes;
    }

    /// Checks that the keys ascend over the whole table, and that no key of a block is greater than
    /// the key that the index has for the block.
    void walk_data(const BlockHandle& block, std::string_view index_key)
    {
        each_entry(read(block), [&](std::string_view key, std::string_view) {
            check(is_key(key) && (last_.empty() || before(last_, key)));
            last_ = key;
        });
        check(!last_.empty() && !before(index_key, last_));
        last_ = index_key;
    }

    template <class Visit>
    void each_entry(const std::string& block, Visit visit);

    const std::string name_;
    const leveldb::RandomAccessFile& file_;
    const std::uint64_t size_;
    std::string last_;
};

/// Visits the entries of a block. A block ends with the offsets of the entries whose keys are
/// stored whole, and their number.
template <class Visit>
void TableWalk::each_entry(const std::string& block, Visit visit)
{
    const std::string_view all(block);
    check(all.size() >= 4);
    const std::uint64_t restarts = little_endian<std::uint32_t>(all.substr(all.size() - 4));
    check(restarts > 0 && restarts <= (all.size() - 4) / 4);
    const std::string_view places = all.substr(all.size() - 4 - 4 * restarts, 4 * restarts);
    const std::string_view entries = all.substr(0, all.size() - 4 - 4 * restarts);
    bytes::ByteReader reader(entries);
    std::string key;
    std::uint64_t next = 0;
    while (reader.left() > 0) {
        const std::uint64_t at = entries.size() - reader.left();
        const std::uint64_t shared = reader.varint();
        const std::uint64_t own = reader.varint();
        const std::uint64_t value = reader.varint();
        if (next < restarts && little_endian<std::uint32_t>(places.substr(4 * next)) == at) {
            check(shared == 0);
            ++next;
        }
        const std::string_view rest = entries.substr(entries.size() - reader.left());
        check(!reader.failed() && shared <= key.size() && own <= rest.size() &&
              value <= rest.size() - own);
        key.resize(shared);
        key += rest.substr(0, own);
        visit(std::string_view(key), rest.substr(own, value));
        reader = bytes::ByteReader(rest.substr(own + value));
    }
    check(next == restarts);
}

}  // namespace

void walk_table(leveldb::Env& env, const std::string& name, std::uint64_t size)
{
    leveldb::RandomAccessFile* opened = nullptr;
    check_read(env.NewRandomAccessFile(name, &opened));
    std::unique_ptr<leveldb::RandomAccessFile> file(opened);
    if (!ends_as_table(*file, size)) {
        return;
    }
    const CheckedTable checked(name, std::move(file), size);
    TableWalk(name, checked, size).run();
}

}  // namespace keywatch::storage
