// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "oom_life.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

namespace keywatch::test::oom {

/// Checks a database, its watches and transactions when memory is available again.
class Verdict {
public:
    using Values = std::map<std::string, std::string>;

    Verdict(Life& life, Findings& findings) : life_(life), findings_(findings) {}

    /// Commits once more, closes, and compares history, values, watches and results.
    void pass()
    {
        if (life_.closes()) {
            finish_close();
            open_again();
            pass_open();
            return;
        }
        const Values values = pass_open();
        if (life_.options_.location != "memory:") {
            open_again();
            compare(values);
        }
    }

private:
    Loop& loop() { return life_.loop_; }

    Values pass_open()
    {
        // This happens before anything wakes the watches.
        for (const auto& each : life_.watches_) {
            life_.await_reached(*each, life_.database_.head_revision());
        }
        commit();
        const bool served = read_history();
        const Values values = read_values();
        judge_values(values, served);
        close();
        if (served) {
            judge_history();
            judge_bulk_writes();
        }
        for (const auto& each : life_.watches_) {
            each->judge(history_, served);
        }
        return values;
    }

    void commit()
    {
        Attempt& last = life_.next_put(1);
        loop().finish(life_.begin_commit(last));
        if (last.error) {
            findings_.add("refused", "the last commit: " + text_of(last.error));
        }
    }

    /// Reads history with a watch. Returns false if watches are no longer served.
    bool read_history()
    {
        Kind kind;
        kind.consumer = Consumer::plain_commit;
        kind.start = Start::revision;
        const Watch* const whole = read_by("history", kind, whole_database());
        kind.start = Start::snapshot;
        Watch* const state = whole != nullptr ? read_by("state", kind, in("b", all())) : nullptr;
        if (state == nullptr) {
            findings_.served = false;
            return false;
        }
        history_.clear();
        for (const OwnedMessage& each : whole->messages()) {
            if (history_.empty() || history_.back().revision != each->revision) {
                history_.push_back({each->revision, {}});
            }
            history_.back().messages.push_back(each);
        }
        state->judge(history_, true);
        return true;
    }

    /// Returns a watch that has received everything and has ended. Null if it was not served.
    Watch* read_by(const char* name, const Kind& kind, const Selectors& selectors)
    {
        readers_.push_back(std::make_unique<Watch>(name, loop(), findings_, kind, selectors));
        Watch& watch = *readers_.back();
        const Revision head = life_.database_.head_revision();
        if (!watch.open(life_.database_, loop().executor())) {
            return nullptr;
        }
        life_.await_reached(watch, head);
        const bool whole = watch.position().revision >= head;
        if (whole) {
            loop().finish(loop().begin("stop()", watch.stop()), {});
        }
        loop().finish(watch.outcome());
        return whole ? &watch : nullptr;
    }

    static Task read(Database database, Values* values)
    {
        const auto fn = [values](const Snapshot& snapshot) {
            if (snapshot.has_bucket(Structure::btree, "b")) {
                for (const auto& [key, value] : snapshot.btree("b").scan()) {
                    values->emplace(key, value);
                }
            }
        };
        co_await database.view(fn);
    }

    Values read_values()
    {
        Values values;
        const auto outcome = loop().begin("view()", read(life_.database_, &values));
        loop().finish(outcome, {});
        if (outcome->error) {
            findings_.add("refused", "the last view: " + text_of(outcome->error));
        }
        return values;
    }

    /// Checks that the values are the result of the messages in history.
    void judge_values(const Values& values, bool served)
    {
        if (!served) {
            return judge_acknowledged(values);
        }
        Values made;
        for (const contract::Made& commit : history_) {
            for (const OwnedMessage& each : commit.messages) {
                if (each->bucket != "b" || each->structure != Structure::btree) {
                    continue;
                }
                const std::string key(each->key);
                if (each->operation == Operation::put) {
                    made[key] = std::string(each->value);
                } else if (each->operation == Operation::erase) {
                    made.erase(key);
                } else if (each->operation == Operation::bucket_deleted) {
                    made.clear();
                }
            }
        }
        if (made != values) {
            findings_.add("promise", "the values are not what history says");
        }
    }

    void judge_acknowledged(const Values& values)
    {
        for (const Attempt& each : life_.attempts_) {
            for (const std::string& line : each.messages) {
                const auto equals = line.find('=');
                if (each.revision != 0 && line.starts_with("put u") &&
                    !values.contains(line.substr(4, equals - 4))) {
                    findings_.add("lost", "acknowledged, and not there: " + line);
                }
            }
        }
    }

    /// Checks that each commit is that of one attempt and is complete, that those of a row are in
    /// order, and that everything acknowledged is there.
    void judge_history()
    {
        std::map<std::string, Revision> found;
        for (const contract::Made& commit : history_) {
            const Message& first = *commit.messages.front();
            if (first.cause == Cause::expired || first.origin == Life::bulk_origin) {
                continue;
            }
            const std::string origin(first.origin);
            const auto attempt = std::ranges::find(life_.attempts_, origin, &Attempt::origin);
            if (attempt == life_.attempts_.end() ||
                !found.emplace(origin, commit.revision).second) {
                findings_.add("twice", "a commit of nobody, or another one of " + origin);
            } else if (lines_of(commit) != attempt->messages) {
                findings_.add("torn", "a commit that is not whole, of " + origin);
            }
        }
        std::map<int, Revision> last;
        for (const Attempt& each : life_.attempts_) {
            const auto at = found.find(each.origin);
            if (each.messages.empty()) {
                continue;
            }
            if (each.revision != 0 && (at == found.end() || at->second != each.revision)) {
                findings_.add("lost", "acknowledged, and not in history: " + each.origin);
            }
            if (at != found.end() && at->second <= last[each.row]) {
                findings_.add("promise", "not in the order of the calls: " + each.origin);
            } else if (at != found.end()) {
                last[each.row] = at->second;
            }
        }
    }

    static std::vector<std::string> lines_of(const contract::Made& commit)
    {
        std::vector<std::string> lines;
        for (const OwnedMessage& each : commit.messages) {
            lines.push_back(std::string(to_string(each->operation)) + ' ' + std::string(each->key) +
                            '=' + std::string(each->value));
        }
        return lines;
    }

    void close()
    {
        using Clock = std::chrono::steady_clock;
        const Clock::time_point begun = Clock::now();
        const SharedOutcome outcome = life_.begin_close();
        loop().finish(outcome);
        if (outcome->error) {
            findings_.add("close", text_of(outcome->error));
        }
        if (Clock::now() - begun >= life_.close_timeout) {
            findings_.add("close", "it has waited for its timeout");
        }
        finish_watches();
    }

    void finish_watches()
    {
        for (const auto& each : life_.watches_) {
            if (each->made()) {
                loop().finish(each->outcome());
            }
        }
    }

    /// Closes again if closing has failed.
    void finish_close()
    {
        if (life_.has_handle()) {
            close();
        }
        finish_watches();
    }

    /// Opens the directory when its lock is released.
    void open_again()
    {
        life_.database_ = Database();
        const auto is_free = [this] {
            try {
                life_.open();
                return true;
            } catch (const boost::system::system_error& error) {
                if (error.code() != make_error_code(Error::locked)) {
                    throw;
                }
            }
            ::usleep(1000);
            loop().context().restart();
            loop().context().poll();
            return false;
        };
        waiting_for = "the directory";
        while (!is_free()) {
        }
    }

    /// Checks that everything is as it was before the database was reopened.
    void compare(const Values& before)
    {
        const bool known = findings_.served;
        const std::size_t commits = history_.size();
        if (!read_history() || (known && history_.size() != commits)) {
            findings_.add("lost", "history is another one after it was opened again");
        }
        judge_history();
        if (read_values() != before) {
            findings_.add("lost", "the values are other ones after it was opened again");
        }
        loop().finish(life_.begin_close(), {});
    }

    /// Checks that the commits of a bulk writer are a prefix of its writes, each once.
    void judge_bulk_writes()
    {
        std::vector<std::string> written;
        for (const contract::Made& commit : history_) {
            if (commit.messages.front()->origin == Life::bulk_origin) {
                const std::vector<std::string> lines = lines_of(commit);
                written.insert(written.end(), lines.begin(), lines.end());
            }
        }
        if (written.size() < life_.bulk_committed) {
            findings_.add("lost", "a write of a bulk writer that was committed");
        }
        if (written.size() > life_.bulk_writes.size() ||
            !std::equal(written.begin(), written.end(), life_.bulk_writes.begin())) {
            findings_.add("torn", "the writes of a bulk writer are not in their order");
        }
    }

    Life& life_;
    Findings& findings_;
    std::vector<contract::Made> history_;
    std::vector<std::unique_ptr<Watch>> readers_;
};

}  // namespace keywatch::test::oom
