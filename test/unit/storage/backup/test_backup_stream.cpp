// SPDX-License-Identifier: BSL-1.0
#include "bytes/numbers.hpp"
#include "storage/backup/backup_stream.hpp"
#include "storage/backup/restore.hpp"
#include "storage/backup/store_backup.hpp"
#include "storage/store.hpp"
#include "support/printing.hpp"
#include "support/storage/power_loss_env.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <memory>
#include <sstream>
#include <streambuf>
#include <string>

using namespace keywatch;
using namespace keywatch::storage;
using namespace keywatch::bytes;
using namespace keywatch::test;

namespace {

void nothing() {}

BackupIdentity restore_to(PowerLossEnv& disk, const std::string& bytes)
{
    std::istringstream in(bytes);
    return restore(in, "/db", &disk);
}

/// Returns the error of restoring, and checks that a failure leaves no files.
std::optional<Error> refusal_of(const std::string& bytes)
{
    PowerLossEnv disk;
    const auto error = error_of([&] { restore_to(disk, bytes); });
    if (error) {
        BOOST_CHECK(disk.contents().empty());
        BOOST_CHECK(!disk.FileExists("/db"));
    }
    return error;
}

/// Returns a forged stream with correct checksums.
std::string made_up(const std::function<void(BackupStream&)>& make)
{
    std::ostringstream out;
    BackupStream stream(out);
    make(stream);
    return out.str();
}

/// A small database, and the stream of its backup.
struct SmallBackup {
    PowerLossEnv disk;
    std::unique_ptr<Store> store = Store::open(Options("/db"), &disk);
    Committer committer{*store};
    std::string bytes;

    explicit SmallBackup(int commits = 3)
    {
        for (int i = 0; i < commits; ++i) {
            committer.commit();
        }
        std::ostringstream out;
        BackupStream stream(out);
        store->start_backup()->copy_to(stream, nothing);
        bytes = out.str();
    }
};

/// A buffer that accepts this many bytes.
class SmallBuffer final : public std::streambuf {
public:
    explicit SmallBuffer(std::size_t room) : room_(room) {}

private:
    std::streamsize xsputn(const char*, std::streamsize size) override
    {
        const auto fits = std::min(room_, static_cast<std::size_t>(size));
        room_ -= fits;
        return static_cast<std::streamsize>(fits);
    }
    int_type overflow(int_type c) override
    {
        return room_ == 0 ? traits_type::eof() : (--room_, c);
    }

    std::size_t room_;
};

}  // namespace

// The stream of a backup: its frames, its checksums and its restoring.
BOOST_AUTO_TEST_SUITE(test_backup_stream)

BOOST_AUTO_TEST_CASE(a_stream_is_restored)
{
    const SmallBackup backup;
    PowerLossEnv disk;
    const BackupIdentity identity = restore_to(disk, backup.bytes);
    BOOST_TEST(identity.revision == 3U);
    BOOST_TEST(identity.history == backup.store->history_id());
    const auto store = Store::open(Options("/db"), &disk);
    BOOST_TEST(store->head_at_open() == 3U);
    BOOST_TEST(store->history_id() == identity.history);
    BOOST_CHECK(has_data(*store, 1) && has_data(*store, 3) && !has_data(*store, 4));
    BOOST_TEST(revisions(store->read_history(0, 3, {})) == range(1, 3));
}

// Contains the bytes shown in doc/storage.md.
BOOST_AUTO_TEST_CASE(the_bytes_are_those_of_the_documentation)
{
    const std::string bytes = made_up([](BackupStream& stream) {
        BackupIdentity identity;
        identity.revision = 7;
        stream.begin(identity);
        stream.begin_file("CURRENT", 2);
        stream.append("ab");
        stream.finish();
    });
    const auto text = [](std::string_view raw) { return std::string(raw); };
    using namespace std::string_view_literals;
    BOOST_TEST(bytes.size() == 26U + 37 + 24 + 11 + 25);
    BOOST_TEST(bytes.substr(0, 26) == "keywatch backup, format 1\n");
    BOOST_TEST(bytes.substr(26, 33) == text("\x01\0\0\0\x1c"
                                            "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                            "\0\0\0\0\0\0\0\x07"
                                            "\0\0\0\x01"sv));
    BOOST_TEST(bytes.substr(63, 20) == text("\x02\0\0\0\x0f\0\0\0\0\0\0\0\x02"
                                            "CURRENT"sv));
    BOOST_TEST(bytes.substr(87, 7) == text("\x03\0\0\0\x02"
                                           "ab"sv));
    BOOST_TEST(bytes.substr(98, 21) ==
               text("\x04\0\0\0\x10\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02"sv));
    Checksum checksum;
    checksum.add(bytes.substr(0, 59));
    BOOST_TEST(checksum.value() == load_fixed<std::uint32_t>(bytes.data() + 59));
    checksum.add(bytes.substr(63, 20));
    BOOST_TEST(checksum.value() == load_fixed<std::uint32_t>(bytes.data() + 83));
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_cut_short_is_damaged)
{
    const SmallBackup backup;
    for (std::size_t size = 0; size < backup.bytes.size(); ++size) {
        BOOST_TEST_CONTEXT(size << " bytes")
        {
            BOOST_TEST(refusal_of(backup.bytes.substr(0, size)) == Error::damaged);
        }
    }
}

// The first line identifies the format, so a change there may cause other errors.
BOOST_AUTO_TEST_CASE(a_stream_with_a_changed_byte_is_refused)
{
    const SmallBackup backup;
    for (std::size_t at = 0; at < backup.bytes.size(); ++at) {
        for (const int change : {1, 0x80, 0xff}) {
            std::string bytes = backup.bytes;
            bytes[at] = static_cast<char>(bytes[at] ^ change);
            const auto error = refusal_of(bytes);
            BOOST_TEST_CONTEXT("byte " << at << " changed by " << change)
            {
                BOOST_CHECK(error == Error::damaged ||
                            (at < 26 &&
                             (error == Error::not_a_database || error == Error::format_too_new)));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(frames_cannot_change_places)
{
    const std::string bytes = made_up([](BackupStream& stream) {
        stream.begin({});
        stream.begin_file("CURRENT", 2);
        stream.append("a");
        stream.append("b");
        stream.finish();
    });
    constexpr std::size_t data = 26 + 37 + 24;
    const std::string swapped = bytes.substr(0, data) + bytes.substr(data + 10, 10) +
                                bytes.substr(data, 10) + bytes.substr(data + 20);
    BOOST_TEST(refusal_of(swapped) == Error::damaged);
    const std::string dropped = bytes.substr(0, data) + bytes.substr(data + 10);
    BOOST_TEST(refusal_of(dropped) == Error::damaged);
}

// Correct checksums do not make a stream trustworthy.
BOOST_AUTO_TEST_CASE(a_forged_stream_is_refused)
{
    for (const char* const name : {"../escaped", "/etc/passwd", "KEYWATCH", "LOCK", "", "7.ldb/x",
                                   "MANIFEST-", ".log", "12.txt"}) {
        BOOST_TEST_CONTEXT(name)
        {
            BOOST_TEST(refusal_of(made_up([&](BackupStream& stream) {
                           stream.begin({});
                           stream.begin_file(name, 1);
                           stream.append("x");
                           stream.finish();
                       })) == Error::damaged);
        }
    }
    const std::vector<std::function<void(BackupStream&)>> strange{
        [](BackupStream& stream) { stream.finish(); },
        [](BackupStream& stream) { stream.append("x"); },
        [](BackupStream& stream) { stream.begin({}); },
        [](BackupStream& stream) {
            stream.begin_file("CURRENT", 0);
            stream.begin_file("CURRENT", 0);
        },
        [](BackupStream& stream) {
            stream.begin_file("CURRENT", 2);
            stream.append("a");
            stream.finish();
        },
        [](BackupStream& stream) {
            stream.begin_file("CURRENT", 1);
            stream.append("ab");
            stream.finish();
        },
        [](BackupStream& stream) {
            stream.begin_file("CURRENT", 1);
            stream.begin_file("1.log", 0);
        },
    };
    for (const auto& each : strange) {
        BOOST_TEST(refusal_of(made_up([&](BackupStream& stream) {
                       stream.begin({});
                       each(stream);
                   })) == Error::damaged);
    }
}

// The files were copied without being checked; the damage is detected when the copy is opened.
BOOST_AUTO_TEST_CASE(a_backup_of_damaged_files_is_refused)
{
    SmallBackup backup;
    const auto identity = backup.store->start_backup()->identity();
    const std::string lacks_everything = made_up([&](BackupStream& stream) {
        stream.begin(identity);
        stream.begin_file("CURRENT", 16);
        stream.append("MANIFEST-000002\n");
        stream.finish();
    });
    BOOST_TEST(refusal_of(lacks_everything) == Error::damaged);
    const std::string other_revision = made_up([&](BackupStream& stream) {
        // Passes on the same files with a different revision.
        class Renamed final : public BackupTarget {
        public:
            explicit Renamed(BackupStream& stream) : stream_(stream) {}
            void begin(const BackupIdentity& of) override
            {
                stream_.begin({of.history, of.revision + 1});
            }
            void begin_file(const std::string& name, std::uint64_t size) override
            {
                stream_.begin_file(name, size);
            }
            void append(std::string_view bytes) override { stream_.append(bytes); }
            void finish() override { stream_.finish(); }

        private:
            BackupStream& stream_;
        } renamed(stream);
        backup.store->start_backup()->copy_to(renamed, nothing);
    });
    BOOST_TEST(refusal_of(other_revision) == Error::damaged);
}

BOOST_AUTO_TEST_CASE(other_formats_are_distinguished)
{
    const SmallBackup backup;
    BOOST_TEST(refusal_of("something else altogether") == Error::not_a_database);
    BOOST_TEST(refusal_of("") == Error::damaged);
    std::string newer = backup.bytes;
    newer[24] = '2';
    BOOST_TEST(refusal_of(newer) == Error::format_too_new);
}

// Bytes after the backup are not consumed from the stream.
BOOST_AUTO_TEST_CASE(nothing_is_read_beyond_the_end)
{
    const SmallBackup backup;
    std::istringstream in(backup.bytes + "next");
    PowerLossEnv disk;
    restore(in, "/db", &disk);
    std::string next;
    in >> next;
    BOOST_TEST(next == "next");
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_full_fails_the_backup)
{
    const SmallBackup backup;
    for (std::size_t room = 0; room < backup.bytes.size(); room += 7) {
        SmallBuffer buffer(room);
        std::ostream out(&buffer);
        BackupStream stream(out);
        BOOST_TEST(error_of([&] { backup.store->start_backup()->copy_to(stream, nothing); }) ==
                   Error::backup_failed);
    }
}

BOOST_AUTO_TEST_CASE(a_disk_that_fails_leaves_nothing_of_a_restored_database)
{
    const SmallBackup backup;
    for (const bool append : {true, false}) {
        bool failed = true;
        for (std::uint64_t nth = 1; failed; ++nth) {
            PowerLossEnv disk;
            append ? disk.fail_append(nth, PowerLossEnv::Torn::half) : disk.fail_sync(nth);
            const auto error = error_of([&] { restore_to(disk, backup.bytes); });
            failed = error.has_value();
            BOOST_CHECK(!error || error == Error::backup_failed || error == Error::open_failed);
            BOOST_CHECK(!error || (disk.contents().empty() && !disk.FileExists("/db")));
            BOOST_TEST_REQUIRE(nth < 100);
        }
    }
    for (const std::uint64_t space : {0, 100, 500}) {
        PowerLossEnv disk;
        disk.limit_space(space);
        BOOST_CHECK(error_of([&] { restore_to(disk, backup.bytes); }).has_value());
        BOOST_CHECK(disk.contents().empty());
    }
}

// A power cut leaves the whole database, or none.
BOOST_AUTO_TEST_CASE(restoring_can_be_cut_short_anywhere)
{
    const SmallBackup backup;
    Options options("/db");
    options.create_if_missing = false;
    for (std::uint64_t operations = 0;; ++operations) {
        PowerLossEnv disk;
        disk.cut_power_after(operations);
        error_of([&] { restore_to(disk, backup.bytes); });
        for (std::uint64_t seed = 0; seed < 8; ++seed) {
            const auto after =
                disk.survivors(seed == 0   ? Survival::nothing()
                               : seed == 1 ? Survival::everything()
                                           : Survival::random(operations * 9 + seed));
            std::unique_ptr<Store> store;
            const auto refused = error_of([&] { store = Store::open(options, after.get()); });
            BOOST_CHECK(!refused || refused == Error::not_a_database ||
                        refused == Error::open_failed);
            BOOST_CHECK(refused || (store->head_at_open() == 3 && has_data(*store, 1)));
        }
        if (!disk.power_is_cut()) {
            break;
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
