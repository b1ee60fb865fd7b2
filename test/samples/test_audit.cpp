// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "system_monitor/audit.hpp"
#include "system_monitor/audit_line.hpp"
#include "system_monitor/figures.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace system_monitor;
using namespace std::chrono_literals;
using keywatch::test::read_file;
using keywatch::test::TemporaryDirectory;

namespace {

constexpr std::uint64_t kept_commits = 20;

struct Notes final : Display {
    void show(const Commit&) override {}
    void alert(const std::string&, bool, const std::string&) override {}
    void note(const std::string& text) override { notes.push_back(text); }
    void end(const std::string&) override {}

    std::vector<std::string> notes;
};

asio::awaitable<Database> open()
{
    Options options{"memory:"};
    options.enable_watch = true;
    options.history.commits = kept_commits;
    co_return co_await Database::open(options);
}

asio::awaitable<void> commit(Database db, int count)
{
    const auto put = [](Transaction& transaction) {
        if (!transaction.has_bucket(Structure::btree, figures_bucket)) {
            transaction.create_bucket(Structure::btree, figures_bucket);
        }
        transaction.btree(figures_bucket).put("cpu", "12.5");
    };
    for (; count > 0; --count) {
        co_await db.update(put);
    }
}

/// Commits until history no longer contains this revision, and waits until trimming has finished.
asio::awaitable<void> trim_past(Database db, Revision revision)
{
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (db.oldest_revision() <= revision || db.stats().history.commits > kept_commits) {
        if (std::chrono::steady_clock::now() > end) {
            throw std::runtime_error("history is not trimmed");
        }
        if (db.oldest_revision() <= revision) {
            co_await commit(db, 1);
        }
        co_await asio::post(asio::use_awaitable);
    }
}

/// Closes the database when the audit has written some commits.
asio::awaitable<void> audit_until_closed(Database db, std::string path, Notes& notes)
{
    Audit audit(db, path, notes);
    asio::co_spawn(co_await asio::this_coro::executor, audit.run(), rethrow);
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (audit.lines() < 3) {
        if (std::chrono::steady_clock::now() > end) {
            throw std::runtime_error("the audit writes nothing");
        }
        co_await asio::post(asio::use_awaitable);
    }
    co_await commit(db, 1);
    co_await db.close();
}

void run(asio::awaitable<void> body)
{
    asio::io_context context(1);
    asio::co_spawn(context, std::move(body), rethrow);
    context.run();
}

/// Returns the revisions of the positions at the beginning of each line of a file.
std::vector<Revision> revisions(const std::string& path)
{
    std::vector<Revision> found;
    const std::string text = read_file(path);
    for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos;
         at = end + 1) {
        const auto position = position_of_audit_line(text.substr(at, end - at));
        BOOST_REQUIRE(position);
        found.push_back(position->revision);
    }
    return found;
}

void check_ascending_from(const std::vector<Revision>& found, Revision first)
{
    for (std::size_t at = 0; at < found.size(); ++at) {
        BOOST_TEST(found[at] == first + at);
    }
}

}  // namespace

// The audit file that the sample `system_monitor` writes, over several runs.
BOOST_AUTO_TEST_SUITE(test_audit)

BOOST_AUTO_TEST_CASE(lost_history_is_reported_and_a_new_file_is_begun)
{
    const TemporaryDirectory directory;
    const std::string path = directory / "audit";
    Notes notes;
    Revision oldest = 0;
    const auto body = [&]() -> asio::awaitable<void> {
        Database db = co_await open();
        Position old = db.head_position();
        old.revision = 2;
        AuditFile(path).append(audit_note(old, "until here"), old);
        co_await trim_past(db, 3);
        oldest = db.oldest_revision();
        co_await audit_until_closed(db, path, notes);
    };
    run(body());
    BOOST_TEST(revisions(path) == std::vector<Revision>{2});
    const auto found = revisions(path + ".1");
    BOOST_TEST_REQUIRE(found.size() >= 3u);
    BOOST_TEST(found.front() >= oldest - 1);  // the note, then the commits without a gap
    check_ascending_from(found, found.front());
    BOOST_TEST(read_file(path + ".1").find("begins after revision") != std::string::npos);
    BOOST_TEST_REQUIRE(notes.notes.size() == 1u);
    BOOST_TEST(notes.notes[0].find("revision 3 requested") != std::string::npos, notes.notes[0]);
}

BOOST_AUTO_TEST_CASE(a_new_file_of_an_old_database_states_where_it_begins)
{
    const TemporaryDirectory directory;
    const std::string path = directory / "audit";
    Notes notes;
    const auto body = [&]() -> asio::awaitable<void> {
        Database db = co_await open();
        co_await trim_past(db, 1);
        co_await audit_until_closed(db, path, notes);
    };
    run(body());
    const auto found = revisions(path);
    BOOST_TEST_REQUIRE(found.size() >= 3u);
    BOOST_TEST(found.front() >= 1u);
    check_ascending_from(found, found.front());
    BOOST_TEST(read_file(path).find("begins after revision") != std::string::npos);
    BOOST_TEST(!std::filesystem::exists(path + ".1"));
}

BOOST_AUTO_TEST_CASE(beginning_after_the_close_leaves_that_to_the_next_run)
{
    const TemporaryDirectory directory;
    const std::string path = directory / "audit";
    Notes notes;
    const auto body = [&]() -> asio::awaitable<void> {
        Database db = co_await open();
        co_await trim_past(db, 1);
        Audit audit(db, path, notes);
        co_await db.close();
        co_await audit.run();
    };
    run(body());
    BOOST_TEST(read_file(path) == "");
}

BOOST_AUTO_TEST_SUITE_END()
