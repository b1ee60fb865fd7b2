// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "oom_ends.hpp"
#include "oom_life.hpp"
#include "oom_transactions.hpp"

#include <keywatch/keywatch.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keywatch::test::oom {

/// Actions during which memory runs out.
struct Scenario {
    std::string_view group;
    std::string name;
    Kind kind;
    std::function<void(Life&)> run;
    /// Unless all allocations are walked, one in this many fails.
    std::uint64_t stride = 1;
    /// The stride if memory is short for a while.
    std::uint64_t stride_for_a_while = 20;
    /// Runs before memory runs out.
    std::function<void(Life&)> prepare = [](Life&) {};
    bool on_disk = false;
    Durability durability = Durability::sync;
    bool recycles = true;
    /// True if the database is open, with watches, when the scenario begins.
    bool furnished = true;
};

/// Commits in two coroutines while another watch begins, waits for the watches, and saves a cursor.
inline void commit_and_watch(Life& life)
{
    Watch* const late = life.add_watch("late", life.kind(), life.loop().executor());
    const SharedOutcome one = life.begin_puts(1, 2);
    const SharedOutcome other = life.begin_puts(2, 2);
    life.loop().finish(one);
    life.loop().finish(other);
    const Revision head = life.database().head_revision();
    if (late != nullptr) {
        life.await(*late, "wait_ready()", [&] { return late->wait_ready(Life::patience); });
        life.await_reached(*late, head);
    }
    life.await_reached(life.first(), head);
    Attempt& save = life.next(3, {}, [head](Transaction& tx) { tx.save_cursor("c", head); });
    life.loop().finish(life.begin_commit(save));
}

inline Kind kind_of(Consumer consumer, Overflow overflow, Start start, std::size_t buffer = 1024,
                    std::size_t turns = 0)
{
    Kind kind;
    kind.consumer = consumer;
    kind.overflow = overflow;
    kind.start = start;
    kind.buffer = buffer;
    kind.turns = turns;
    return kind;
}

inline Scenario scenario(std::string_view group, std::string name, const Kind& kind,
                         std::function<void(Life&)> run, std::uint64_t stride)
{
    Scenario made;
    made.group = group;
    made.name = std::move(name);
    made.kind = kind;
    made.run = std::move(run);
    made.stride = stride;
    made.stride_for_a_while = stride * 5;
    return made;
}

/// Covers each kind of consumer, each policy and each start at least once. All allocations are
/// walked.
inline std::vector<Scenario> core()
{
    using enum Consumer;
    const auto of = [](const char* name, const Kind& kind) {
        return scenario("core", name, kind, commit_and_watch, 1);
    };
    return {
        of("plain_message", kind_of(plain_message, Overflow::catch_up, Start::now)),
        of("plain_commit", kind_of(plain_commit, Overflow::catch_up, Start::oldest)),
        of("coroutine_message",
           kind_of(coroutine_message, Overflow::catch_up, Start::revision, 1024, 2)),
        of("coroutine_commit",
           kind_of(coroutine_commit, Overflow::catch_up, Start::snapshot, 1024, 1)),
        of("pulled", kind_of(pulled, Overflow::catch_up, Start::now)),
        of("latest", kind_of(coroutine_commit, Overflow::latest, Start::now, 3, 3)),
        of("skip", kind_of(coroutine_message, Overflow::skip, Start::now, 2, 5)),
        of("stop", kind_of(coroutine_commit, Overflow::stop, Start::now, 2, 5)),
    };
}

/// Covers all combinations of consumers, policies and starts, with small inboxes.
inline std::vector<Scenario> matrix()
{
    constexpr std::array consumers{"plain_message", "plain_commit", "coroutine_message",
                                   "coroutine_commit", "pulled"};
    constexpr std::array policies{"catch_up", "latest", "skip", "stop"};
    constexpr std::array starts{"now", "oldest", "revision", "snapshot"};
    std::vector<Scenario> all;
    for (std::size_t consumer = 0; consumer < consumers.size(); ++consumer) {
        for (std::size_t policy = 0; policy < policies.size(); ++policy) {
            for (std::size_t start = 0; start < starts.size(); ++start) {
                const std::string name =
                    std::string(consumers[consumer]) + '/' + policies[policy] + '/' + starts[start];
                const Kind kind =
                    kind_of(static_cast<Consumer>(consumer), static_cast<Overflow>(policy),
                            static_cast<Start>(start), 3, 3);
                all.push_back(scenario("matrix", name, kind, commit_and_watch, 60));
            }
        }
    }
    return all;
}

/// Covers other options of a watch, and a loop that does not reuse memory.
inline std::vector<Scenario> options()
{
    using enum Consumer;
    std::vector<Scenario> all;
    const auto add = [&](const char* name, const Kind& kind) -> Scenario& {
        return all.emplace_back(scenario("options", name, kind, commit_and_watch, 9));
    };
    add("cursor", kind_of(plain_commit, Overflow::catch_up, Start::cursor));
    Kind kind = kind_of(coroutine_commit, Overflow::catch_up, Start::now);
    kind.saves = true;
    add("saves", kind);
    kind = kind_of(plain_message, Overflow::latest, Start::now);
    kind.interval = std::chrono::milliseconds(1);
    add("interval", kind);
    kind = Kind();
    kind.progress = std::chrono::milliseconds(1);
    add("progress", kind).run = wait_for_progress;
    for (Scenario each : core()) {
        each.group = "options";
        each.name += "/unrecycled";
        each.recycles = false;
        each.stride = 30;
        each.stride_for_a_while = 150;
        all.push_back(std::move(each));
    }
    return all;
}

inline std::vector<Scenario> ends()
{
    using enum Consumer;
    const Kind plain = kind_of(plain_message, Overflow::catch_up, Start::now);
    const Kind coroutine = kind_of(coroutine_commit, Overflow::catch_up, Start::now, 1024, 2);
    const Kind pull = kind_of(pulled, Overflow::catch_up, Start::now);
    std::vector<Scenario> all;
    const auto add = [&](const std::string& name, void (*run)(Life&), void (*prepare)(Life&)) {
        all.push_back(scenario("ends", name, plain, run, 5));
        all.push_back(scenario("ends", name + "/coroutine", coroutine, run, 5));
        all.push_back(scenario("ends", name + "/pulled", pull, run, 5));
        for (std::size_t i = all.size() - 3; i < all.size(); ++i) {
            all[i].prepare = prepare;
        }
    };
    const auto nothing = [](Life&) {};
    add("stopping", stop_a_watch, nothing);
    add("requested", request_a_stop, nothing);
    add("draining", drain_a_watch, nothing);
    add("cancelling", cancel_a_watch, nothing);
    add("dropping", drop_a_bucket, make_another_bucket);
    return all;
}

inline std::vector<Scenario> transactions()
{
    std::vector<Scenario> all;
    const auto add = [&](const char* name, void (*run)(Life&)) -> Scenario& {
        return all.emplace_back(scenario("transactions", name, Kind(), run, 4));
    };
    add("throwing", throw_in_update);
    add("viewing", view);
    add("shortcuts", use_shortcuts);
    add("bulk", load);
    add("structures", use_structures).prepare = make_structures;
    add("cursors", list_cursors);
    add("figures", ask_for_figures);
    Scenario& sweeping = add("sweeping", sweep);
    sweeping.recycles = false;
    sweeping.stride = 8;
    return all;
}

inline std::vector<Scenario> databases()
{
    std::vector<Scenario> all;
    const auto add = [&](const char* name, void (*run)(Life&), bool on_disk) -> Scenario& {
        Scenario& made = all.emplace_back(scenario("database", name, Kind(), run, 2));
        made.on_disk = on_disk;
        made.stride_for_a_while = 10;
        return made;
    };
    add("opening", open, false).furnished = false;
    add("opening/disk", open, true).furnished = false;
    add("closing", close_with_commits, true).durability = Durability::buffered;
    add("forgetting", forget, true).durability = Durability::buffered;
    add("buffered", commit_and_watch, true).durability = Durability::buffered;
    all.back().stride = 9;
    add("synced", commit_and_watch, true).stride = 30;
    all.back().stride_for_a_while = 150;
    return all;
}

inline const std::vector<Scenario>& scenarios()
{
    static const std::vector<Scenario> all = [] {
        std::vector<Scenario> some;
        for (auto* const part : {core, matrix, options, ends, transactions, databases}) {
            for (Scenario& each : part()) {
                some.push_back(std::move(each));
            }
        }
        return some;
    }();
    return all;
}

}  // namespace keywatch::test::oom
