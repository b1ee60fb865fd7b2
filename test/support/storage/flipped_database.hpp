// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "power_loss_env.hpp"
#include "support/loop/event_loop.hpp"
#include "support/loop/hand_clock.hpp"
#include "support/model/model_state.hpp"

#include <keywatch/keywatch.hpp>

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace keywatch::test {

/// A database with all kinds of contents, and a record of them: tables in several levels, two logs,
/// all structures, deadlines, cursors and history.
class KnownDatabase {
public:
    explicit KnownDatabase(std::uint64_t seed);

    Options options() const;
    /// Returns the files, as a kill would leave them.
    const PowerLossEnv& image() const { return *image_; }
    Revision head() const { return states_.rbegin()->first; }
    /// Returns the contents at one of the last revisions, at or after the one before the newest log
    /// was begun; null for an older revision.
    const std::string* state(Revision head) const;
    /// Returns one line for each message, in order.
    const std::vector<std::string>& history() const { return history_; }
    /// Returns the number of lines of revisions up to this one.
    std::size_t history_through(Revision revision) const;

    /// Returns everything that a view shows.
    static asio::awaitable<std::string> read(Database db, Time now);
    /// Adds everything that a watch from the beginning of history receives to `lines`, as it comes.
    static Task read_history(Database db, std::vector<std::string>& lines);

    Time now() const { return clock_.now(); }

private:
    Task make_tables(Database db);
    Task make_logs(Database db);
    Task change(Database db);
    Task remember(Database db);
    std::size_t logs() const;

    HandClock clock_;
    std::mt19937_64 random_;
    PowerLossEnv disk_;
    ModelState model_;
    std::unique_ptr<PowerLossEnv> image_;
    std::map<Revision, std::string> states_;
    std::vector<std::string> history_;
    std::vector<Revision> revisions_;  ///< revision of each line of history
};

/// Opens a damaged database and uses it in every way. `run` returns what is wrong: a wrong value
/// without an error, or an error that does not report damage. Empty if nothing is wrong.
class DamagedUse {
public:
    /// `may_end_early`: the last commits may be missing.
    DamagedUse(const KnownDatabase& original, PowerLossEnv& disk, std::set<Error> refusals,
               bool may_end_early);

    std::string run();
    /// Returns true if an error was reported.
    bool noticed() const { return noticed_; }

private:
    Task live(Database db, bool first);
    Task check_state(Database db);
    Task check_history(Database db);
    Task commit(Database db);
    template <class Use>
    Task attempt(const char* what, Use use);
    void fail(const std::string& what);

    const KnownDatabase& original_;
    PowerLossEnv& disk_;
    const std::set<Error> refusals_;
    const bool may_end_early_;
    std::optional<Revision> head_;  ///< head of the database when it was opened
    int committed_ = 0;
    bool noticed_ = false;
    std::string wrong_;
};

}  // namespace keywatch::test
