// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/storage/flipped_database.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

// Flips one bit of a file; then the database is opened, read, watched, written to, compacted, and
// opened again. Every result must be correct, or damage must be reported.
//
// KEYWATCH_FLIPS: the number of flips of each kind of file (see `flips`). KEYWATCH_SEED: selects
// them.
using namespace keywatch;
using namespace keywatch::test;

namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise)
{
    const char* const given = std::getenv(variable);
    return given != nullptr ? std::strtoull(given, nullptr, 10) : otherwise;
}

std::uint64_t seed()
{
    const std::uint64_t seed = number_from("KEYWATCH_SEED", std::random_device()());
    std::cerr << "KEYWATCH_SEED=" << seed << '\n';
    return seed;
}

struct Flip {
    std::string file;
    std::size_t byte;
    int bit;
};

std::ostream& operator<<(std::ostream& out, const Flip& flip)
{
    return out << "bit " << flip.bit << " of byte " << flip.byte << " of " << flip.file;
}

/// Returns a random flip. Half of them are anywhere, the others near the end: a table has its
/// index, its filter and its footer there.
Flip random_flip(const std::string& file, std::size_t size, std::mt19937_64& random)
{
    const std::size_t near_end = std::min<std::size_t>(size, random() % 2 == 0 ? 60 : 2000);
    const std::size_t byte = random() % 2 == 0 ? random() % size : size - 1 - random() % near_end;
    return {file, byte, static_cast<int>(random() % 8)};
}

/// A child's report on one flip, sent through a pipe.
struct Verdict {
    enum class Kind : char { right, noticed, wrong };
    Kind kind = Kind::right;
    std::string text;
};

struct Tried {
    int noticed = 0;
    int right = 0;
};

/// Flips are tried in a child process, as they may end it. The child tries one after another; if it
/// dies, another child continues.
class Trials {
public:
    Trials(const KnownDatabase& original, std::set<Error> refusals, bool may_end_early)
        : original_(original), refusals_(std::move(refusals)), may_end_early_(may_end_early)
    {
    }

    Tried run(const std::vector<Flip>& flips)
    {
        Tried tried;
        for (std::size_t next = 0; next < flips.size();) {
            const std::vector<Verdict> verdicts = try_from(flips, next);
            for (const Verdict& each : verdicts) {
                tried.noticed += each.kind == Verdict::Kind::noticed ? 1 : 0;
                tried.right += each.kind == Verdict::Kind::right ? 1 : 0;
                BOOST_TEST((each.kind != Verdict::Kind::wrong), flips[next] << ": " << each.text);
                ++next;
            }
        }
        return tried;
    }

private:
    /// The last verdict is about what ended the child, unless it tried all flips.
    std::vector<Verdict> try_from(const std::vector<Flip>& flips, std::size_t first) const
    {
        int ends[2];
        BOOST_TEST_REQUIRE(::pipe(ends) == 0);
        const pid_t child = ::fork();
        BOOST_TEST_REQUIRE(child >= 0);
        if (child == 0) {
            ::close(ends[0]);
            for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGALRM}) {
                std::signal(signal, SIG_DFL);
            }
            for (std::size_t i = first; i < flips.size(); ++i) {
                ::alarm(static_cast<unsigned>(120 * number_from("KEYWATCH_TEST_SLOWNESS", 1)));
                say(ends[1], try_one(flips[i]));
            }
            ::_exit(0);
        }
        ::close(ends[1]);
        std::vector<Verdict> verdicts = listen(ends[0]);
        ::close(ends[0]);
        int status = 0;
        ::waitpid(child, &status, 0);
        if (WIFSIGNALED(status) || WEXITSTATUS(status) != 0) {
            verdicts.push_back(
                {Verdict::Kind::wrong, "the process ended with status " + std::to_string(status)});
        }
        return verdicts;
    }

    Verdict try_one(const Flip& flip) const
    {
        const auto disk = original_.image().survivors(Survival::everything());
        std::string bytes = disk->contents().at(flip.file);
        bytes[flip.byte] = static_cast<char>(bytes[flip.byte] ^ (1 << flip.bit));
        disk->overwrite(flip.file, bytes);
        DamagedUse use(original_, *disk, refusals_, may_end_early_);
        try {
            if (std::string wrong = use.run(); !wrong.empty()) {
                return {Verdict::Kind::wrong, std::move(wrong)};
            }
        } catch (const std::exception& error) {
            return {Verdict::Kind::wrong, error.what()};
        }
        return {use.noticed() ? Verdict::Kind::noticed : Verdict::Kind::right, {}};
    }

    static void say(int pipe, const Verdict& verdict)
    {
        std::string line(1, static_cast<char>('0' + static_cast<int>(verdict.kind)));
        line += verdict.text;
        std::ranges::replace(line, '\n', ' ');
        line += '\n';
        if (::write(pipe, line.data(), line.size()) < 0) {
            ::_exit(1);
        }
    }

    static std::vector<Verdict> listen(int pipe)
    {
        std::string all;
        char bytes[4096];
        for (ssize_t got = 0; (got = ::read(pipe, bytes, sizeof bytes)) > 0;) {
            all.append(bytes, static_cast<std::size_t>(got));
        }
        std::vector<Verdict> verdicts;
        for (std::size_t begin = 0; begin < all.size();) {
            const std::size_t end = all.find('\n', begin);
            verdicts.push_back({static_cast<Verdict::Kind>(all[begin] - '0'),
                                all.substr(begin + 1, end - begin - 1)});
            begin = end + 1;
        }
        return verdicts;
    }

    const KnownDatabase& original_;
    const std::set<Error> refusals_;
    const bool may_end_early_;
};

struct Fixture {
    explicit Fixture(std::uint64_t seed_ = seed()) : random(seed_), original(seed_) {}

    template <class IsMeant>
    std::vector<Flip> flips(std::size_t otherwise, IsMeant is_meant)
    {
        std::vector<std::pair<std::string, std::size_t>> files;
        for (const auto& [name, bytes] : original.image().contents()) {
            if (!bytes.empty() && is_meant(std::string_view(name))) {
                files.emplace_back(name, bytes.size());
            }
        }
        BOOST_REQUIRE(!files.empty());
        std::vector<Flip> flips;
        for (auto count = number_from("KEYWATCH_FLIPS", otherwise); count > 0; --count) {
            const auto& [name, size] = files[random() % files.size()];
            flips.push_back(random_flip(name, size, random));
        }
        return flips;
    }

    std::string newest_log() const
    {
        std::string newest;
        for (const auto& [name, bytes] : original.image().contents()) {
            newest = name.ends_with(".log") && !bytes.empty() ? name : newest;
        }
        return newest;
    }

    std::mt19937_64 random;
    const KnownDatabase original;
};

}  // namespace

// A database with one flipped bit: it reports damage, or returns what was written.
BOOST_FIXTURE_TEST_SUITE(test_bit_flips, Fixture)

BOOST_AUTO_TEST_CASE(what_is_not_damaged_is_used_without_an_error)
{
    const auto disk = original.image().survivors(Survival::everything());
    DamagedUse use(original, *disk, {}, false);
    BOOST_TEST(use.run() == "");
    BOOST_TEST(!use.noticed());
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_in_a_table_is_damage_or_does_not_matter)
{
    Trials trials(original, {Error::damaged}, false);
    const auto some = flips(100, [](std::string_view name) { return name.ends_with(".ldb"); });
    const Tried tried = trials.run(some);
    // A table that a compaction has made obsolete is not read, so some flips may remain unnoticed.
    BOOST_TEST(tried.noticed > 0);
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_in_current_or_the_marker_is_an_error)
{
    Trials trials(original, {Error::damaged, Error::format_too_new, Error::not_a_database}, false);
    const Tried tried = trials.run(flips(60, [](std::string_view name) {
        return name.ends_with("/CURRENT") || name.ends_with("/KEYWATCH");
    }));
    BOOST_TEST(tried.right == 0);
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_in_the_manifest_is_damage)
{
    Trials trials(original, {Error::damaged}, false);
    const Tried tried = trials.run(flips(40, [](std::string_view name) {
        return name.find("/MANIFEST-") != std::string_view::npos;
    }));
    BOOST_TEST(tried.noticed > 0);
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_in_an_older_log_is_damage)
{
    Trials trials(original, {Error::damaged}, false);
    const Tried tried = trials.run(flips(
        40, [&](std::string_view name) { return name.ends_with(".log") && name != newest_log(); }));
    BOOST_TEST(tried.noticed > 0);
}

// Such damage looks like the effect of a power cut: doc/storage.md.
BOOST_AUTO_TEST_CASE(a_flipped_bit_in_the_newest_log_keeps_the_records_before_it)
{
    Trials trials(original, {Error::damaged}, true);
    const Tried tried =
        trials.run(flips(40, [&](std::string_view name) { return name == newest_log(); }));
    BOOST_TEST(tried.right > 0);
}

BOOST_AUTO_TEST_SUITE_END()
