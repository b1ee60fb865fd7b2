// SPDX-License-Identifier: BSL-1.0
#include "storage/failed_reads.hpp"
#include "storage/failure.hpp"
#include "storage/files/background_thread.hpp"
#include "storage/files/environment.hpp"
#include "storage/format/checksum.hpp"
#include "storage/table/checked_iterator.hpp"
#include "storage/table/checked_table.hpp"
#include "storage/table/table_format.hpp"
#include "storage/table/table_walk.hpp"
#include "support/printing.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <future>
#include <memory>
#include <random>
#include <string>
#include <string_view>

using namespace keywatch;
using namespace keywatch::storage;
using namespace keywatch::test;

namespace {

/// A file in memory that can refuse a read.
class Bytes final : public leveldb::RandomAccessFile {
public:
    explicit Bytes(const std::string& bytes, const leveldb::Status& refusal)
        : bytes_(bytes), refusal_(refusal)
    {
    }
    leveldb::Status Read(std::uint64_t offset, std::size_t size, leveldb::Slice* result,
                         char* scratch) const override
    {
        *result = {scratch, offset < bytes_.size() ? bytes_.copy(scratch, size, offset) : 0};
        return refusal_;
    }

private:
    const std::string& bytes_;
    const leveldb::Status& refusal_;
};

/// A table as written by a store, and its parts.
struct Table {
    Table()
    {
        PowerLossEnv disk;
        {
            const auto store = Store::open(Options("/db"), &disk);
            Committer committer(*store);
            for (int i = 0; i < 100; ++i) {
                committer.commit(1, 100);
            }
        }
        Store::open(Options("/db"), &disk);  // writes the log out as a table
        for (const auto& [name, file] : disk.contents()) {
            bytes = name.ends_with(".ldb") ? file : bytes;
        }
        footer = parse_footer(end(), bytes.size()).value();
    }

    std::string_view end() const
    {
        return std::string_view(bytes).substr(bytes.size() - footer_bytes);
    }
    void flip(std::uint64_t byte) { bytes[byte] = static_cast<char>(bytes[byte] ^ 4); }
    /// Corrects the checksum of a block.
    void seal(const BlockHandle& block)
    {
        const std::size_t covered = block.size + 1;
        const std::uint32_t sum =
            masked(crc32c(std::string_view(bytes).substr(block.offset, covered)));
        for (std::size_t i = 0; i < 4; ++i) {
            bytes[block.offset + covered + i] = static_cast<char>(sum >> (8 * i));
        }
    }
    std::unique_ptr<CheckedTable> open() const
    {
        return std::make_unique<CheckedTable>("/db/1.ldb", std::make_unique<Bytes>(bytes, refusal),
                                              bytes.size());
    }

    std::string bytes;
    Footer footer;
    leveldb::Status refusal;
};

leveldb::Status read(const CheckedTable& table, std::uint64_t offset, std::uint64_t size)
{
    std::string scratch(size, '\0');
    leveldb::Slice result;
    return table.Read(offset, size, &result, scratch.data());
}

leveldb::Status read(const CheckedTable& table, const BlockHandle& block)
{
    return read(table, block.offset, block.size + block_trailer_bytes);
}

/// Returns the block that ends where the metaindex begins. It is searched for, as the beginning of
/// a block is known only with its length.
BlockHandle filter_of(const Table& table)
{
    const std::uint64_t end = table.footer.metaindex.offset;
    for (std::uint64_t size = block_trailer_bytes; size <= end; ++size) {
        if (is_whole_block(std::string_view(table.bytes).substr(end - size, size))) {
            return {end - size, size - block_trailer_bytes};
        }
    }
    throw std::logic_error("there is no block");
}

/// Returns the block at the beginning of the file.
BlockHandle first_block(const Table& table)
{
    for (std::uint64_t size = block_trailer_bytes; size <= table.bytes.size(); ++size) {
        if (is_whole_block(std::string_view(table.bytes).substr(0, size))) {
            return {0, size - block_trailer_bytes};
        }
    }
    throw std::logic_error("there is no block");
}

/// An iterator that skips an entry in one of its moves. It notes that in FailedReads, but does not
/// report it.
class Skipping final : public leveldb::Iterator {
public:
    bool Valid() const override { return true; }
    void SeekToFirst() override {}
    void SeekToLast() override {}
    void Seek(const leveldb::Slice&) override {}
    void Next() override { FailedReads::note(failure); }
    void Prev() override {}
    leveldb::Slice key() const override { return "key"; }
    leveldb::Slice value() const override { return "value"; }
    leveldb::Status status() const override { return leveldb::Status::OK(); }

    leveldb::Status failure = leveldb::Status::Corruption("a table");
};

}  // namespace

// Tables whose blocks are checked when they are read.
BOOST_FIXTURE_TEST_SUITE(test_checked_table, Table)

BOOST_AUTO_TEST_CASE(all_ways_to_compute_a_checksum_agree)
{
    BOOST_TEST(crc32c("123456789") == 0xe3069283U);
    const checksum::Extend quick = checksum::extend_by_instructions();
    if (quick == nullptr) {
        return;
    }
    std::mt19937 random(1);
    std::string some(9000, '\0');
    for (char& each : some) {
        each = static_cast<char>(random());
    }
    for (std::size_t size = 0; size < some.size() - 8; ++size) {
        const char* const begin = some.data() + random() % 8;
        const auto state = static_cast<std::uint32_t>(random());
        if (quick(state, begin, size) != checksum::extend_by_tables(state, begin, size)) {
            BOOST_ERROR("they differ for " << size << " bytes");
        }
    }
}

BOOST_AUTO_TEST_CASE(no_bit_of_a_footer_can_be_flipped)
{
    for (std::size_t bit = 0; bit < 8 * footer_bytes; ++bit) {
        std::string flipped(end());
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
        BOOST_TEST(!parse_footer(flipped, bytes.size()), "bit " << bit);
    }
    BOOST_TEST(!parse_footer(end(), bytes.size() + 1).has_value());
    BOOST_TEST(!parse_footer(end(), bytes.size() - 1).has_value());
    BOOST_TEST(!parse_footer({}, 0).has_value());
}

BOOST_AUTO_TEST_CASE(written_data_is_returned)
{
    const auto before = FailedReads::count();
    const auto table = open();
    BOOST_TEST(read(*table, bytes.size() - footer_bytes, footer_bytes).ok());
    BOOST_TEST(read(*table, footer.index).ok());
    BOOST_TEST(read(*table, footer.metaindex).ok());
    BOOST_TEST(read(*table, filter_of(*this)).ok());
    BOOST_TEST(FailedReads::count() == before);
}

BOOST_AUTO_TEST_CASE(wrong_bytes_are_damage_with_their_place)
{
    const BlockHandle block = first_block(*this);
    flip(block.size / 2);
    const auto table = open();
    const auto before = FailedReads::count();
    BOOST_TEST(read(*table, bytes.size() - footer_bytes, footer_bytes).ok());
    const leveldb::Status status = read(*table, block);
    BOOST_TEST(status.IsCorruption());
    BOOST_TEST(status.ToString().find("/db/1.ldb at byte 0") != std::string::npos);
    BOOST_TEST(FailedReads::count() == before + 1);
    BOOST_TEST(FailedReads::last().ToString() == status.ToString());
    BOOST_TEST(read(*table, footer.metaindex).ok());
}

BOOST_AUTO_TEST_CASE(a_file_that_is_shorter_than_it_was_is_damaged)
{
    const auto table = open();
    const std::uint64_t size = bytes.size();
    bytes.resize(bytes.size() - 1);
    BOOST_TEST(read(*table, size - footer_bytes, footer_bytes).IsCorruption());
}

// LevelDB continues without a filter, so nothing else would report the damage.
BOOST_AUTO_TEST_CASE(a_damaged_filter_refuses_the_whole_table)
{
    const BlockHandle filter = filter_of(*this);
    for (const BlockHandle& damaged : {filter, footer.metaindex}) {
        flip(damaged.offset);
        const auto table = open();
        BOOST_TEST(read(*table, bytes.size() - footer_bytes, footer_bytes).ok());
        BOOST_TEST(read(*table, footer.index).ok());
        BOOST_TEST(read(*table, damaged).IsCorruption());
        BOOST_TEST(read(*table, footer.index).IsCorruption());
        flip(damaged.offset);
    }
}

BOOST_AUTO_TEST_CASE(a_read_that_the_system_refuses_is_no_damage_and_may_succeed_later)
{
    const auto table = open();
    BOOST_TEST(read(*table, bytes.size() - footer_bytes, footer_bytes).ok());
    refusal = leveldb::Status::IOError("/db/1.ldb", "Input/output error");
    BOOST_TEST(read(*table, filter_of(*this)).IsIOError());
    BOOST_TEST(FailedReads::last().IsIOError());
    refusal = leveldb::Status::OK();
    BOOST_TEST(read(*table, filter_of(*this)).ok());
    BOOST_TEST(read(*table, footer.index).ok());
}

// LevelDB reports a missing key as "not found", too.
BOOST_AUTO_TEST_CASE(a_missing_table_is_damage_and_no_missing_key)
{
    PowerLossEnv disk;
    Environment environment(&disk, &disk);
    leveldb::RandomAccessFile* file = nullptr;
    const auto before = FailedReads::count();
    BOOST_TEST(environment.NewRandomAccessFile("/1.ldb", &file).IsCorruption());
    BOOST_TEST(FailedReads::count() == before + 1);
    // LevelDB then tries this name, whatever the reason was.
    BOOST_TEST(!environment.NewRandomAccessFile("/1.sst", &file).ok());
    BOOST_TEST(FailedReads::count() == before + 1);
}

BOOST_AUTO_TEST_CASE(an_iterator_that_has_skipped_something_throws_from_then_on)
{
    CheckedIterator iterator(std::make_unique<Skipping>());
    iterator.SeekToFirst();
    BOOST_TEST(iterator.Valid());
    for (int i = 0; i < 2; ++i) {
        BOOST_TEST(error_of([&] { iterator.Next(); }) == Error::damaged);
        BOOST_TEST(!iterator.Valid());
    }
    BOOST_TEST(error_of([&] { iterator.SeekToFirst(); }) == Error::damaged);
}

BOOST_AUTO_TEST_CASE(an_iterator_reports_a_failed_read_with_the_reason_of_the_system)
{
    auto skipping = std::make_unique<Skipping>();
    skipping->failure = leveldb::Status::IOError("/db/1.ldb", "Too many open files");
    CheckedIterator iterator(std::move(skipping));
    try {
        iterator.Next();
        BOOST_ERROR("nothing was thrown");
    } catch (const boost::system::system_error& error) {
        BOOST_TEST(error.code() == Error::storage_failed);
        BOOST_TEST(std::string_view(error.what()).find("Too many open files") !=
                   std::string_view::npos);
    }
}

BOOST_AUTO_TEST_CASE(failed_reads_of_other_threads_do_not_count)
{
    const ReadCheck reads;
    std::async(std::launch::async, [] {
        FailedReads::note(leveldb::Status::Corruption("a"));
    }).get();
    reads.check();
    FailedReads::note(leveldb::Status::Corruption("b"));
    BOOST_TEST(error_of([&] { reads.check(); }) == Error::damaged);
}

BOOST_AUTO_TEST_CASE(a_background_job_may_ask_for_the_next_one)
{
    struct Jobs {
        std::promise<bool> done;
        int left = 3;
        BackgroundThread thread;

        static void work(void* jobs) { static_cast<Jobs*>(jobs)->step(); }
        void step()
        {
            if (--left > 0) {
                thread.run(work, this);
            } else {
                done.set_value(BackgroundThread::is_current());
            }
        }
    } jobs;
    jobs.thread.run(Jobs::work, &jobs);
    BOOST_TEST(jobs.done.get_future().get());
    BOOST_TEST(!BackgroundThread::is_current());
}

// The checksums of a foreign table may have been made to match.
BOOST_AUTO_TEST_CASE(a_table_with_right_checksums_that_leveldb_cannot_have_written_is_refused)
{
    PowerLossEnv disk;
    const auto walk = [&] {
        disk.overwrite("/1.ldb", bytes);
        return error_of([&] { walk_table(disk, "/1.ldb", bytes.size()); });
    };
    leveldb::WritableFile* file = nullptr;
    BOOST_REQUIRE(disk.NewWritableFile("/1.ldb", &file).ok());
    delete file;
    BOOST_CHECK(!walk());
    const std::string before = bytes;
    for (const BlockHandle& block : {first_block(*this), footer.index, footer.metaindex}) {
        std::size_t refused = 0;
        for (std::uint64_t at = 0; at <= block.size; at += 3) {
            for (const int bit : {0, 7}) {
                bytes[block.offset + at] = static_cast<char>(bytes[block.offset + at] ^ (1 << bit));
                seal(block);
                const auto error = walk();
                BOOST_TEST((!error || error == Error::damaged));
                refused += error ? 1 : 0;
                bytes = before;
            }
        }
        BOOST_TEST(refused > 0U);
    }
}

BOOST_AUTO_TEST_CASE(a_file_without_the_end_of_a_table_is_skipped)
{
    PowerLossEnv disk;
    leveldb::WritableFile* file = nullptr;
    BOOST_REQUIRE(disk.NewWritableFile("/1.ldb", &file).ok());
    delete file;
    for (const std::size_t size : {std::size_t{0}, std::size_t{47}, bytes.size() / 2}) {
        disk.overwrite("/1.ldb", bytes.substr(0, size));
        walk_table(disk, "/1.ldb", size);
    }
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_SUITE_END()
