// SPDX-License-Identifier: BSL-1.0
// Makes one allocation after another fail, each in a process of its own.
//
// By default, walks every allocation of the scenarios of a watch.
//
//   KEYWATCH_ALL=1              also walks the other scenarios, and lets several fail in a row,
//                               which Asio does not always survive: it posts in destructors
//   KEYWATCH_SEED=n             repeats a choice of allocations
//   KEYWATCH_OOM=scenario:n     runs one scenario with one failing allocation in this process
//   KEYWATCH_OOM=scenario:n+k   the same, and the k allocations after it fail too
//   KEYWATCH_OOM_TRACE=1        writes the stack of each allocation that fails, for addr2line
#include "oom_life.hpp"
#include "oom_scenarios.hpp"
#include "oom_verdict.hpp"

#include "support/printing.hpp"
#include "support/process/children.hpp"
#include "support/storage/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

namespace keywatch::test::oom {
namespace {

/// A process that takes longer than this, in seconds, is considered to hang.
constexpr unsigned longest_life = 10;
/// Number of allocations that fail after the first one if memory is short for a while.
constexpr std::uint64_t a_while = 20;

unsigned slowness()
{
    const char* const given = std::getenv("KEYWATCH_TEST_SLOWNESS");
    return given != nullptr ? static_cast<unsigned>(std::max(std::atoi(given), 1)) : 1;
}

/// The allocations that fail.
struct Failure {
    std::uint64_t nth = 0;
    std::uint64_t more = 0;
};

/// Runs a scenario from its beginning to its end.
int live(const Scenario& scenario, const Failure& failure, const std::string& directory)
{
    const Spared spared;  // see Loop
    Findings findings;
    bool reached = false;
    try {
        Options options(scenario.on_disk ? directory : "memory:");
        options.enable_watch = true;
        options.durability = scenario.durability;
        Life life(findings, options, scenario.kind);
        life.close_timeout *= slowness();
        life.loop().recycles = scenario.recycles;
        if (scenario.furnished) {
            life.open();
            life.furnish();
            scenario.prepare(life);
            life.wait_ready();
        }
        countdown.traced = std::getenv("KEYWATCH_OOM_TRACE") != nullptr;
        arm(failure.nth, failure.more + 1);
        scenario.run(life);
        disarm();
        reached = countdown.failed > 0;
        Verdict(life, findings).pass();
    } catch (...) {
        disarm();
        findings.add("exception", text_of(std::current_exception()));
    }
    if (findings.problems) {
        return broken;
    }
    if (!reached) {
        return not_reached;
    }
    return findings.watch_failed || !findings.served ? ended_with_error : survived;
}

extern "C" void on_alarm(int)
{
    die("hang", waiting_for.load());
}

[[noreturn]] void on_terminate()
{
    const Spared spared;
    die("terminate", text_of(std::current_exception()).c_str());
}

int live_as_child(const Scenario& scenario, const Failure& failure, const std::string& directory)
{
    std::signal(SIGALRM, on_alarm);
    std::set_terminate(on_terminate);
    ::alarm(longest_life * slowness());
    return live(scenario, failure, directory);
}

bool walks_all()
{
    return std::getenv("KEYWATCH_ALL") != nullptr;
}

std::mt19937_64& random()
{
    static std::mt19937_64 engine = [] {
        const char* const given = std::getenv("KEYWATCH_SEED");
        const std::uint64_t seed =
            given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
        std::cerr << "KEYWATCH_SEED=" << seed << '\n';
        return std::mt19937_64(seed);
    }();
    return engine;
}

/// The lives of one scenario, and their ends.
class Walk {
public:
    Walk(const Scenario& scenario, std::uint64_t more) : scenario_(&scenario), more_(more)
    {
        stride_ = more == 0 ? scenario.stride : scenario.stride_for_a_while;
        stride_ = walks_all() ? 1 : stride_ * slowness();
        next_ = stride_ > 1 ? random()() % stride_ : 0;
    }

    /// Returns true if all allocations have been walked.
    bool is_over() const { return over_ || next_ > longest_walk; }

    std::uint64_t next() { return std::exchange(next_, next_ + stride_); }

    int live(std::uint64_t nth, const std::string& directory) const
    {
        return live_as_child(*scenario_, {nth, more_}, directory);
    }

    void note(std::uint64_t nth, const ChildEnd& end)
    {
        ++lives_;
        if (end.status == survived) {
            ++survived_;
        } else if (end.status == ended_with_error) {
            ++ended_;
        } else if (end.status == not_reached) {
            ++unreached_;
            over_ = true;
        } else {
            broken_[reason_of(end)].insert(nth);
        }
    }

    void report() const
    {
        const std::string name = scenario_->name + (more_ != 0 ? " (for a while)" : "");
        std::ostringstream text;
        text << name << ": " << lives_ << " lives, " << survived_ << " survived, " << ended_
             << " ended with an error, " << lives_ - survived_ - ended_ - unreached_ << " broken\n";
        std::cerr << text.str();
        for (const auto& [reason, numbers] : broken_) {
            std::string places;
            for (const std::uint64_t nth : numbers) {
                places += ' ' + std::to_string(nth);
            }
            BOOST_ERROR(name + ':' + places + '\n' + reason);
        }
        BOOST_TEST(over_, name << " has no end");
    }

private:
    /// More than the number of allocations of any scenario.
    static constexpr std::uint64_t longest_walk = 5000;

    static std::string reason_of(const ChildEnd& end)
    {
        std::string text = end.text;
        if (end.signal != 0) {
            text += "crash: signal " + std::to_string(end.signal) + '\n';
        }
        return text.empty() ? "status " + std::to_string(end.status) : text;
    }

    const Scenario* scenario_;
    std::uint64_t more_;
    std::uint64_t stride_ = 1;
    std::uint64_t next_ = 0;
    bool over_ = false;
    std::size_t lives_ = 0;
    std::size_t survived_ = 0;
    std::size_t ended_ = 0;
    std::size_t unreached_ = 0;
    /// The allocations whose failure breaks something, by what breaks.
    std::map<std::string, std::set<std::uint64_t>> broken_;
};

/// Walks all scenarios of a group. A life that hangs does not delay the others.
class Walks {
public:
    explicit Walks(std::string_view group)
    {
        for (const Scenario& each : scenarios()) {
            if (each.group == group) {
                walks_.emplace_back(each, 0);
                if (walks_all()) {
                    walks_.emplace_back(each, a_while);
                }
            }
        }
    }

    void go()
    {
        for (std::size_t at = 0; at < walks_.size(); ++at) {
            while (!walks_[at].is_over()) {
                const std::uint64_t number = at * numbers + walks_[at].next();
                const std::string directory = directory_ / std::to_string(number);
                children_.start(number,
                                [&] { return walks_[at].live(number % numbers, directory); });
                note(children_.ended(false));
            }
        }
        note(children_.ended(true));
        for (const Walk& each : walks_) {
            each.report();
        }
    }

private:
    /// More than the number of lives of one walk.
    static constexpr std::uint64_t numbers = 1'000'000;

    void note(const std::vector<ChildEnd>& ends)
    {
        for (const ChildEnd& each : ends) {
            walks_[each.number / numbers].note(each.number % numbers, each);
        }
    }

    const TemporaryDirectory directory_;
    std::vector<Walk> walks_;
    Children children_;
};

/// `always`: even without KEYWATCH_ALL.
void walk(std::string_view group, bool always = false)
{
    if (!always && !walks_all()) {
        BOOST_TEST_MESSAGE("skipped: KEYWATCH_ALL is not set");
    } else if (can_fail()) {
        Walks(group).go();
    } else {
        BOOST_TEST_MESSAGE("skipped: allocations of this program cannot be made to fail");
    }
}

/// Runs a scenario in this process, for a debugger.
int live_here(const Scenario& scenario, const Failure& failure)
{
    const TemporaryDirectory directory;
    const int status = live(scenario, failure, directory / "db");
    std::cerr << "status " << status << '\n';
    return status;
}

/// Runs one life in this process if KEYWATCH_OOM is set.
struct LiveOnce {
    LiveOnce()
    {
        const char* const given = std::getenv("KEYWATCH_OOM");
        if (given == nullptr) {
            return;
        }
        const std::string text(given);
        const auto colon = text.rfind(':');
        char* end = nullptr;
        Failure failure;
        if (colon != std::string::npos) {
            failure.nth = std::strtoull(text.c_str() + colon + 1, &end, 10);
            failure.more = *end == '+' ? std::strtoull(end + 1, nullptr, 10) : 0;
        }
        for (const Scenario& each : scenarios()) {
            if (each.name == text.substr(0, colon)) {
                std::exit(live_here(each, failure));
            }
        }
        std::cerr << "the scenarios:\n";
        for (const Scenario& each : scenarios()) {
            std::cerr << each.name << '\n';
        }
        std::exit(EXIT_FAILURE);
    }
};
BOOST_GLOBAL_FIXTURE(LiveOnce);

}  // namespace

// Allocations that fail one after another, each in a process of its own.
BOOST_AUTO_TEST_SUITE(test_out_of_memory)

BOOST_AUTO_TEST_CASE(a_failing_allocation_breaks_no_promise_of_a_watch)  // W1 W2 W3 W4 W5 W8 W11
{
    walk("core", true);
}

BOOST_AUTO_TEST_CASE(a_failing_allocation_breaks_no_policy)
{
    walk("matrix");
}

BOOST_AUTO_TEST_CASE(a_failing_allocation_breaks_no_option_of_a_watch)
{
    walk("options");
}

BOOST_AUTO_TEST_CASE(a_failing_allocation_breaks_no_end_of_a_watch)  // W11 W12 W13
{
    walk("ends");
}

BOOST_AUTO_TEST_CASE(a_failing_allocation_breaks_no_transaction)
{
    walk("transactions");
}

BOOST_AUTO_TEST_CASE(a_failing_allocation_breaks_neither_opening_nor_closing)
{
    walk("database");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keywatch::test::oom
