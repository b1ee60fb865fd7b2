// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "handles/database_state.hpp"

#include "support/process/workload.hpp"
#include "support/storage/power_loss_env.hpp"
#include "support/storage/whole_database.hpp"

#include <keywatch/keywatch.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace keywatch::test {

/// A consumer that keeps the commits that a watcher delivers, and its last position, over several
/// lives of a database.
struct Consumer {
    std::vector<SeenCommit> seen;
    std::optional<Position> position;
    /// `seen` begins after this revision.
    Revision base = 0;

    Revision through() const { return position ? position->revision : base; }
    void start_anew(Revision after)
    {
        seen.clear();
        position.reset();
        base = after;
    }
    void forget_after(Revision revision)
    {
        std::erase_if(seen, [&](const SeenCommit& each) { return each.revision > revision; });
        position->revision = revision;
    }
};

/// One life of a database on a simulated disk. The database is opened and used by several
/// committers and a consumer. The life ends when they have finished, when writing fails, or when
/// the power is cut.
///
/// Problems are collected, not reported, so that a test may also require some.
class Life {
public:
    enum class End { closed, dropped, power_cut, loop_destroyed };
    struct Plan {
        std::size_t committers = 1;
        std::size_t commits = 50;
        End end = End::closed;
        std::chrono::milliseconds loop_time{10};  ///< for loop_destroyed
    };

    /// `disk` is what the database runs on; `power` is the simulated disk below it.
    Life(leveldb::Env& disk, PowerLossEnv& power, const Options& options, const Workload& workload,
         Consumer& consumer, const Plan& plan)
        : disk_(disk),
          power_(power),
          options_(options),
          workload_(workload),
          consumer_(consumer),
          plan_(plan)
    {
    }

    void live()
    {
        asio::io_context context(1);
        try {
            asio::co_spawn(context,
                           run(Database(DatabaseState::open_blocking(context.get_executor(),
                                                                     options_, &disk_))),
                           [this](std::exception_ptr error) { note(error, "life"); });
            opened_ = true;
        } catch (const std::exception& error) {
            if (!disturbed_) {
                problem(std::string("open: ") + error.what());
            }
            return;
        }
        const bool destroyed = plan_.end == End::loop_destroyed;
        context.run_for(destroyed ? plan_.loop_time : std::chrono::milliseconds(60'000));
        if (!destroyed && !context.stopped()) {
            problem("something does not end");
        }
        take_position();
    }

    /// Declares that something will fail, so that opening may fail, too.
    void expect_failures() { disturbed_ = true; }

    bool opened() const { return opened_; }
    bool disturbed() const { return disturbed_; }
    Revision head_at_open() const { return head_at_open_; }
    Revision acknowledged() const { return acknowledged_; }
    const std::vector<std::string>& problems() const { return problems_; }

private:
    using Clock = std::chrono::steady_clock;

    void problem(std::string what) { problems_.push_back(std::move(what)); }

    void note(const std::exception_ptr& error, const std::string& where)
    {
        try {
            if (error) {
                std::rethrow_exception(error);
            }
        } catch (const std::exception& failure) {
            if (!power_.power_is_cut()) {
                problem(where + ": " + failure.what());
            }
        }
    }

    void take_position()
    {
        if (!watcher_) {
            return;
        }
        consumer_.position = watcher_->position();
        if (!consumer_.seen.empty() && consumer_.seen.back().revision > consumer_.through()) {
            problem("the position lags behind what was delivered");
        }
        const std::string wrong =
            wrong_with(consumer_.seen, workload_, consumer_.base, consumer_.through());
        if (!wrong.empty()) {
            problem("consumer: " + wrong);
        }
        watcher_.reset();
    }

    asio::awaitable<void> run(Database database)
    {
        head_at_open_ = database.head_revision();
        consume(database, co_await asio::this_coro::executor);
        asio::steady_timer done(co_await asio::this_coro::executor, Clock::time_point::max());
        std::size_t running = plan_.committers;
        for (std::size_t i = 0; i < plan_.committers; ++i) {
            asio::co_spawn(co_await asio::this_coro::executor, commit(database),
                           [&](std::exception_ptr error) {
                               note(error, "committer");
                               if (--running == 0) {
                                   done.cancel();
                               }
                           });
        }
        if (running > 0) {
            co_await done.async_wait(asio::as_tuple(asio::use_awaitable));
        }
        if (!power_.power_is_cut()) {
            co_await look_at(database);
        }
        if (plan_.end == End::power_cut) {
            power_.cut_power();
        } else if (plan_.end == End::closed) {
            co_await database.close();
        }
    }

    asio::awaitable<void> commit(Database database)
    {
        const auto transaction = [this](Transaction& tx) { workload_.run(tx); };
        Revision last = 0;
        for (std::size_t i = 0; i < plan_.commits && !failed_; ++i) {
            try {
                const Revision revision = co_await database.update(transaction);
                if (revision <= last || revision > database.head_revision()) {
                    problem("revision " + std::to_string(revision) + " was acknowledged after " +
                            std::to_string(last) + ", the head being " +
                            std::to_string(database.head_revision()));
                }
                last = revision;
                acknowledged_ = std::max(acknowledged_, revision);
            } catch (const boost::system::system_error& error) {
                if (error.code() != make_error_code(Error::storage_failed)) {
                    throw;
                }
                failed_ = true;
                if (!disturbed_) {
                    problem(std::string("update: ") + error.what());
                }
            }
        }
    }

    /// Watches from the consumer's position, or from the first position that the database accepts.
    void consume(const Database& database, const asio::any_io_executor& executor)
    {
        const Revision head = database.head_revision();
        if (consumer_.through() > head) {
            expect_position_ahead(database);
            consumer_.forget_after(head);
        }
        if (consumer_.through() + 1 < database.oldest_revision()) {
            consumer_.start_anew(database.oldest_revision() - 1);
        }
        watcher_.emplace(watch(database));
        asio::co_spawn(executor, watcher_->run(),
                       [this](std::exception_ptr error, const WatchEnd&) {
                           if (!is_compacted(error)) {
                               note(error, "watcher");
                           }
                       });
    }

    void expect_position_ahead(const Database& database)
    {
        if (options_.durability == Durability::sync) {
            problem("revision " + std::to_string(consumer_.through()) +
                    " was delivered, and is lost");
        }
        try {
            watch(database);
            problem("a position ahead was accepted");
        } catch (const boost::system::system_error& error) {
            if (error.code() != make_error_code(Error::position_ahead)) {
                problem(std::string("a position ahead: ") + error.what());
            }
        }
    }

    Watcher watch(const Database& database)
    {
        WatchOptions options;
        options.from = consumer_.position ? From::after(*consumer_.position)
                                          : From::revision(consumer_.base + 1);
        options.buffer_messages = 16;
        options.callback_timeout = std::chrono::seconds{30};
        return database.watch(
            "data", all(),
            [this](const Commit& commit) {
                SeenCommit& last = consumer_.seen.emplace_back(SeenCommit{commit.revision(), {}});
                for (const Message& message : commit) {
                    last.changes.push_back(change_of(message));
                }
            },
            options);
    }

    static bool is_compacted(const std::exception_ptr& error)
    {
        try {
            if (error) {
                std::rethrow_exception(error);
            }
        } catch (const Compacted&) {
            return true;
        } catch (...) {
            return false;
        }
        return false;
    }

    /// Checks the database after all writes, with the power on. What is durable can be read and is
    /// delivered, even if writing has failed.
    asio::awaitable<void> look_at(Database database)
    {
        if (failed_) {
            co_await expect_refusal(database, [this](Transaction& tx) { workload_.run(tx); });
            co_await expect_refusal(database, [](Transaction& tx) { tx.buckets(); });
        }
        const Revision head = database.head_revision();
        if (head < acknowledged_) {
            problem("the head is behind what was acknowledged");
        }
        const std::string wrong = wrong_with(co_await read_contents(database), workload_, head);
        if (!wrong.empty()) {
            problem("a view: " + wrong);
        }
        try {
            co_await watcher_->reached(head);
        } catch (const Compacted&) {
            // Trimming has overtaken the watch; the next life starts anew.
        }
    }

    template <class Function>
    asio::awaitable<void> expect_refusal(Database database, Function function)
    {
        try {
            co_await database.update(function);
            problem("a transaction after a failed write was not refused");
        } catch (const boost::system::system_error& error) {
            if (error.code() != make_error_code(Error::storage_failed)) {
                problem(std::string("after a failed write: ") + error.what());
            }
        }
    }

    leveldb::Env& disk_;
    PowerLossEnv& power_;
    const Options options_;
    const Workload workload_;
    Consumer& consumer_;
    const Plan plan_;
    std::optional<Watcher> watcher_;
    bool disturbed_ = false;
    bool opened_ = false;
    bool failed_ = false;
    Revision head_at_open_ = 0;
    Revision acknowledged_ = 0;
    std::vector<std::string> problems_;
};

}  // namespace keywatch::test
