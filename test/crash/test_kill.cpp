// SPDX-License-Identifier: BSL-1.0
#include "victim.hpp"

#include "support/printing.hpp"
#include "support/process/workload.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/storage/whole_database.hpp"

#include <keywatch/keywatch.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace keywatch::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* child_variable = "KEYWATCH_TEST_KILL_CHILD";
constexpr std::size_t padding = 150;

Options options_for(const std::string& directory, Durability durability)
{
    Options options{directory};
    options.enable_watch = true;
    options.durability = durability;
    options.write_buffer_bytes = 65536;  // so that logs change often
    return options;
}

/// A consumer's note of a commit that it has processed: one line of a file.
struct Note {
    Position position;
    std::size_t digest = 0;
};

std::size_t digest(const std::vector<Change>& changes)
{
    std::ostringstream text;
    for (const Change& each : changes) {
        text << each.operation << ' ' << each.key << ' ' << each.value << ' '
             << each.previous.value_or("-") << '\n';
    }
    return std::hash<std::string>()(text.str());
}

/// A file to which each line is added with one write, so that a killed process leaves complete
/// lines.
class Notes {
public:
    explicit Notes(const std::string& name)
        : name_(name), file_(::open(name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644))
    {
    }
    Notes(const Notes&) = delete;
    Notes& operator=(const Notes&) = delete;
    ~Notes() { ::close(file_); }

    void add(const Note& note) const
    {
        const std::string line =
            to_string(note.position) + ' ' + std::to_string(note.digest) + '\n';
        if (::write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
            throw std::runtime_error("cannot write " + name_);
        }
    }

    std::vector<Note> read() const
    {
        std::vector<Note> notes;
        std::istringstream text(read_file(name_));
        std::string position;
        Note note;
        while (text >> position >> note.digest) {
            note.position = parse_position(position).value();
            notes.push_back(note);
        }
        return notes;
    }

private:
    std::string name_;
    int file_;
};

/// Returns a watcher that continues after the last note.
Watcher resume(const Database& database, const Notes& notes)
{
    const std::vector<Note> old = notes.read();
    WatchOptions options;
    options.from = old.empty() ? From::revision(1) : From::after(old.back().position);
    options.buffer_messages = 64;
    const HistoryId history = database.head_position().history;
    return database.watch(
        "data", all(),
        [&notes, history](const Commit& commit) {
            std::vector<Change> changes;
            for (const Message& message : commit) {
                changes.push_back(change_of(message));
            }
            notes.add({{history, commit.revision()}, digest(changes)});
        },
        options);
}

/// The process that is killed. It commits as fast as it can, and reports through the pipe what was
/// acknowledged.
class Child {
public:
    explicit Child(const std::string& arguments)
    {
        std::istringstream text(arguments);
        int durability = 0;
        text >> directory_ >> notes_ >> durability >> seed_ >> committers_ >> threads_;
        durability_ = static_cast<Durability>(durability);
    }

    [[noreturn]] void run()
    {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::alarm(60);
        try {
            work();
        } catch (const std::exception& error) {
            std::cerr << "child: " << error.what() << '\n';
        }
        ::_exit(1);
    }

private:
    void work()
    {
        asio::io_context context;
        Database database =
            Database::open_blocking(context.get_executor(), options_for(directory_, durability_));
        const Notes notes(notes_);
        Watcher watcher = resume(database, notes);
        asio::co_spawn(context, watcher.run(), rethrow);
        for (std::size_t i = 0; i < committers_; ++i) {
            asio::co_spawn(context, commit(database, Workload(seed_, padding)), rethrow);
        }
        std::vector<std::thread> others;
        for (std::size_t i = 1; i < threads_; ++i) {
            others.emplace_back([&] { context.run(); });
        }
        context.run();
    }

    static asio::awaitable<void> commit(Database database, Workload workload)
    {
        const auto transaction = [&](Transaction& tx) { workload.run(tx); };
        for (;;) {
            const Revision revision = co_await database.update(transaction);
            if (::write(pipe_of_child, &revision, sizeof revision) != sizeof revision) {
                throw std::runtime_error("nobody listens");
            }
        }
    }

    std::string directory_;
    std::string notes_;
    Durability durability_ = Durability::sync;
    std::uint64_t seed_ = 0;
    std::size_t committers_ = 1;
    std::size_t threads_ = 1;
};

/// Turns this program into the child if it was started as such.
struct BecomeChild {
    BecomeChild()
    {
        if (const char* const arguments = std::getenv(child_variable)) {
            Child(arguments).run();
        }
    }
};
BOOST_GLOBAL_FIXTURE(BecomeChild);

/// A database that is used by several processes, one after another.
class Series {
public:
    Series(std::uint64_t seed, Durability durability)
        : random_(seed), workload_(seed, padding), durability_(durability)
    {
    }

    void round()
    {
        std::ostringstream arguments;
        arguments << child_variable << '=' << database_ << ' ' << notes_ << ' '
                  << static_cast<int>(durability_) << ' ' << workload_.seed() << ' '
                  << 1 + random_() % 6 << ' ' << 1 + random_() % 2;
        Victim victim(arguments.str());
        if (random_() % 5 != 0) {  // otherwise it may be killed while it opens
            victim.listen_for_one(Clock::now() + std::chrono::seconds(30));
        }
        victim.listen(Clock::now() + std::chrono::microseconds(random_() % 60'000));
        BOOST_TEST(victim.kill(), "the child died by itself");
        if (std::filesystem::exists(database_)) {
            look(victim.acknowledged());
        }
    }

    Revision head() const { return head_; }

private:
    void look(Revision acknowledged)
    {
        asio::io_context context(1);
        Database database =
            Database::open_blocking(context.get_executor(), options_for(database_, durability_));
        asio::co_spawn(context, compare(std::move(database), acknowledged), rethrow);
        context.run_for(std::chrono::minutes(1));
        BOOST_TEST(context.stopped());
    }

    asio::awaitable<void> compare(Database database, Revision acknowledged)
    {
        const WholeDatabase found = co_await read_whole(database);
        BOOST_TEST(found.head >= std::max(acknowledged, head_));
        head_ = found.head;
        BOOST_TEST(wrong_with(found, workload_) == "");
        compare_notes(false);
        if (random_() % 2 == 0 && head_ > 0) {
            co_await consume(database);
            compare_notes(true);
        }
        co_await database.close();
    }

    /// W6: consumes the rest, as the next process would.
    asio::awaitable<void> consume(Database database)
    {
        const Notes notes(notes_);
        Watcher watcher = resume(database, notes);
        asio::co_spawn(co_await asio::this_coro::executor, watcher.run(), rethrow);
        co_await watcher.reached(head_);
        co_await watcher.stop();
    }

    /// Compares the notes with all commits so far, in order and each once: up to the head, or up to
    /// any commit.
    void compare_notes(bool all_of_them)
    {
        const std::vector<Note> notes = Notes(notes_).read();
        Model model(workload_);
        auto at = notes.begin();
        while (model.revision() < head_ && (all_of_them || at != notes.end())) {
            const auto changes = in_bucket("data", model.next());
            if (changes.empty()) {
                continue;
            }
            BOOST_TEST_REQUIRE((at != notes.end()), "a commit was not delivered");
            BOOST_TEST_REQUIRE(at->position.revision == model.revision());
            BOOST_TEST_REQUIRE(at->digest == digest(changes));
            ++at;
        }
        BOOST_TEST((at == notes.end()), "a commit was delivered and is lost");
    }

    std::mt19937_64 random_;
    const Workload workload_;
    const Durability durability_;
    const TemporaryDirectory directory_;
    const std::string database_ = directory_ / "db";
    const std::string notes_ = directory_ / "notes";
    Revision head_ = 0;
};

/// KEYWATCH_SEED=n runs only the series of that seed.
void run_series(Durability durability)
{
    const char* const given = std::getenv("KEYWATCH_SEED");
    const std::uint64_t first =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
    const std::uint64_t count = given != nullptr ? 1 : 4;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        BOOST_TEST_CONTEXT("KEYWATCH_SEED=" << seed)
        {
            Series series(seed, durability);
            for (int i = 0; i < 6; ++i) {
                series.round();
            }
            std::cerr << "seed " << seed << ": " << series.head() << " commits\n";
            BOOST_TEST(series.head() > 0U);
        }
    }
}

}  // namespace

// A process that commits, and is killed at any time.
BOOST_AUTO_TEST_SUITE(test_kill)

// A killed process loses nothing that was acknowledged, whatever the durability.
BOOST_AUTO_TEST_CASE(killed_while_it_commits_synced)  // W2 W3 W5 W6
{
    run_series(Durability::sync);
}

BOOST_AUTO_TEST_CASE(killed_while_it_commits_buffered)  // W2 W3 W5 W6
{
    run_series(Durability::buffered);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keywatch::test
