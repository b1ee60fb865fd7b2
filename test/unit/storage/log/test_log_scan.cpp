// SPDX-License-Identifier: BSL-1.0
#include "storage/log/log_mark.hpp"
#include "storage/log/log_scan.hpp"
#include "support/printing.hpp"
#include "support/storage/power_loss_env.hpp"

#include <boost/test/unit_test.hpp>

#include <leveldb/db.h>
#include <leveldb/write_batch.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace keywatch::storage;

namespace {

using Records = std::vector<std::string>;

struct Scanned {
    Records records;
    std::size_t believed = 0;
    bool in_record = false;
};

Scanned scan(std::string_view log)
{
    Scanned found;
    LogScan scan(log.size(), [&](std::string_view record, std::size_t) {
        found.records.emplace_back(record);
        return true;
    });
    for (std::size_t at = 0; !scan.ended(); at += log_block_bytes) {
        found.believed += scan.add(log.substr(std::min(at, log.size()), log_block_bytes));
    }
    found.in_record = scan.in_record();
    return found;
}

std::string log_of(const Records& records)
{
    std::string log;
    for (const std::string& record : records) {
        log += fragments_of(record, log.size());
    }
    return log;
}

/// Returns records of one fragment and of several, one that ends with its block, and one that
/// leaves no room for a header in it.
Records some_records()
{
    Records records{std::string(100, 'a'), std::string(40'000, 'b'), ""};
    const auto fill = [&](std::size_t left) {
        const std::size_t used = log_of(records).size() % log_block_bytes;
        records.emplace_back(log_block_bytes - used - log_header_bytes - left, 'c');
    };
    fill(0);
    records.emplace_back(300, 'd');
    fill(5);
    records.emplace_back(500, 'e');
    fill(log_header_bytes);  // the next record begins with an empty fragment
    records.emplace_back(20, 'f');
    return records;
}

bool begins_with(const Records& all, const Records& some)
{
    return some.size() <= all.size() && std::equal(some.begin(), some.end(), all.begin());
}

}  // namespace

// The scan of a log: the records that it accepts, and where it ends.
BOOST_AUTO_TEST_SUITE(test_log_scan)

BOOST_AUTO_TEST_CASE(all_records_are_believed)
{
    const Records records = some_records();
    const std::string log = log_of(records);
    const Scanned found = scan(log);
    BOOST_TEST(found.records == records);
    BOOST_TEST(found.believed == log.size());
    BOOST_CHECK(scan({}).records.empty());
}

BOOST_AUTO_TEST_CASE(what_leveldb_writes_is_believed_to_the_last_byte)
{
    keywatch::test::PowerLossEnv disk;
    leveldb::Options options;
    options.create_if_missing = true;
    options.env = &disk;
    disk.CreateDir("/db");
    leveldb::DB* opened = nullptr;
    BOOST_REQUIRE(leveldb::DB::Open(options, "/db", &opened).ok());
    const std::unique_ptr<leveldb::DB> db(opened);
    std::uint64_t entries = 0;
    for (std::size_t bytes = 1; bytes < 100'000; bytes = bytes * 3 / 2 + 1) {
        leveldb::WriteBatch batch;
        batch.Put("a", std::string(bytes, 'v'));
        batch.Delete("b");
        BOOST_REQUIRE(db->Write({}, &batch).ok());
        ++entries;
    }
    std::size_t logs = 0;
    for (const auto& [name, bytes] : disk.contents()) {
        const bool writes = name.ends_with(".log");
        if (!writes && name.find("MANIFEST") == std::string::npos) {
            continue;
        }
        const Scanned found = scan(bytes);
        BOOST_TEST(found.believed == bytes.size());
        BOOST_TEST(log_of(found.records) == bytes);
        std::uint64_t next = 1;
        for (const std::string& record : writes ? found.records : Records{}) {
            const auto header = parse_write_header(record);
            BOOST_REQUIRE(header.has_value());
            BOOST_TEST(header->sequence == next);
            next += header->entries;
        }
        BOOST_CHECK(!writes || next == 1 + 2 * entries);
        ++logs;
    }
    BOOST_TEST(logs == 2U);
}

BOOST_AUTO_TEST_CASE(a_log_that_is_cut_off_ends_with_a_whole_record)
{
    const Records records = some_records();
    const std::string log = log_of(records);
    for (std::size_t size = 0; size < log.size(); size += size % 97 < 20 ? 1 : 13) {
        const Scanned found = scan(std::string_view(log).substr(0, size));
        BOOST_REQUIRE(begins_with(records, found.records));
        BOOST_TEST_REQUIRE(found.records.size() < records.size());
        BOOST_TEST_REQUIRE(found.believed <= size);
        BOOST_TEST_REQUIRE(log_of(found.records).size() <= size);
    }
}

BOOST_AUTO_TEST_CASE(a_log_ends_before_what_is_not_as_it_was_written)
{
    const Records records = some_records();
    const std::string log = log_of(records);
    for (std::size_t at = 0; at < log.size(); at += at % 1000 < 30 ? 1 : 61) {
        std::string changed = log;
        changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
        const Scanned found = scan(changed);
        BOOST_REQUIRE(begins_with(records, found.records));
        BOOST_TEST_REQUIRE(found.records.size() < records.size());
        BOOST_TEST_REQUIRE(found.believed <= at);
    }
}

BOOST_AUTO_TEST_CASE(a_page_that_is_lost_ends_a_log_although_later_ones_are_there)
{
    const Records records = some_records();
    const std::string log = log_of(records);
    for (std::size_t page = 0; page < log.size(); page += 4096) {
        std::string changed = log;
        std::fill_n(changed.begin() + page, std::min<std::size_t>(4096, log.size() - page), '\0');
        const Scanned found = scan(changed);
        BOOST_REQUIRE(begins_with(records, found.records));
        BOOST_TEST_REQUIRE(found.records.size() < records.size());
        BOOST_TEST_REQUIRE(found.believed <= page);
    }
}

BOOST_AUTO_TEST_CASE(zeros_may_follow_the_end)
{
    const Records records = some_records();
    const std::string log = log_of(records);
    for (const std::size_t zeros : {1, 6, 7, 100, 40'000, 100'000}) {
        BOOST_TEST(scan(log + std::string(zeros, '\0')).records == records);
    }
}

BOOST_AUTO_TEST_CASE(fragments_in_the_wrong_order_end_a_log)
{
    const std::string begun =
        fragments_of(std::string(log_block_bytes, 'x'), 0).substr(0, log_block_bytes);
    const std::string whole = fragments_of("whole", 0);
    const Scanned twice = scan(begun + whole);
    BOOST_CHECK(twice.records.empty() && twice.in_record);
    BOOST_TEST(twice.believed == log_block_bytes);
    const std::string rest = fragments_of(std::string(log_block_bytes, 'x'), 0);
    const Scanned headless = scan(whole + rest.substr(log_block_bytes));
    BOOST_TEST(headless.records == Records{"whole"});
    BOOST_TEST(headless.believed == whole.size());
}

BOOST_AUTO_TEST_CASE(a_record_that_does_not_belong_ends_a_log)
{
    const std::string log = log_of({"one", "two", "three"});
    std::size_t seen = 0;
    LogScan scan(2, [&](std::string_view beginning, std::size_t size) {
        BOOST_TEST(beginning.size() == 2U);
        BOOST_TEST(size == 3U);
        return ++seen < 2;
    });
    BOOST_TEST(scan.add(log) == fragments_of("one", 0).size());
    BOOST_TEST(seen == 2U);
}

// For any length of the log, LevelDB's blocks must be valid, and the mark must be found from the
// end.
BOOST_AUTO_TEST_CASE(a_mark_is_the_last_record_wherever_the_log_ends)
{
    for (std::size_t used = 0; used <= log_block_bytes;
         used += used < 32'700 && used > 50 ? 97 : 1) {
        std::string log;
        if (used >= log_header_bytes) {
            log = fragments_of(std::string(used - log_header_bytes, 'x'), 0);
        }
        log += mark_bytes(LogMark::closed, log.size());
        const Scanned found = scan(log);
        BOOST_TEST_REQUIRE(found.believed == log.size());
        BOOST_REQUIRE(!found.records.empty());
        BOOST_TEST_REQUIRE(parse_mark(found.records.back()) == LogMark::closed);
        log += std::string(10, '\0');
        const std::size_t last = (log.size() - 1) / log_block_bytes * log_block_bytes;
        const std::size_t before = last >= log_block_bytes ? last - log_block_bytes : last;
        BOOST_REQUIRE(ends_in_mark(std::string_view(log).substr(last)) ||
                      ends_in_mark(std::string_view(log).substr(before, log_block_bytes)));
    }
}

BOOST_AUTO_TEST_CASE(only_an_empty_write_is_a_mark)
{
    BOOST_TEST(parse_mark(encode(WriteHeader{1, 0})) == LogMark::rotated);
    BOOST_TEST(parse_mark(encode(WriteHeader{2, 0})) == LogMark::closed);
    BOOST_CHECK(!parse_mark(encode(WriteHeader{3, 0})));
    BOOST_CHECK(!parse_mark(encode(WriteHeader{0, 0})));
    BOOST_CHECK(!parse_mark(encode(WriteHeader{1, 1})));
    BOOST_CHECK(!parse_mark(encode(WriteHeader{1, 0}) + "x"));
    BOOST_CHECK(!parse_mark("short"));
    BOOST_CHECK(!ends_in_mark({}));
    BOOST_CHECK(!ends_in_mark(std::string(100, '\0')));
    BOOST_CHECK(!ends_in_mark(fragments_of("some record", 0)));
}

BOOST_AUTO_TEST_SUITE_END()
