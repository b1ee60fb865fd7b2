// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "oom_loop.hpp"
#include "oom_strand.hpp"
#include "oom_watch.hpp"

#include <keywatch/keywatch.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace keywatch::test::oom {

/// A transaction and its result.
struct Attempt {
    /// The unique origin of its messages.
    std::string origin;
    std::function<void(Transaction&)> fn;
    /// The messages that `fn` makes, each as `<operation> <key>=<value>`.
    std::vector<std::string> messages;
    /// Attempts with the same row are committed one after another.
    int row = 0;
    /// 0 until the commit is acknowledged.
    Revision revision = 0;
    std::exception_ptr error;
};

/// A database, its watches, and the attempted transactions.
class Life {
public:
    /// The timeout of `close()`. It is reached only if something was lost.
    std::chrono::milliseconds close_timeout = std::chrono::seconds(3);

    Life(Findings& findings, Options options, const Kind& kind)
        : findings_(findings), options_(std::move(options)), kind_(kind), loop_(findings)
    {
    }

    Loop& loop() { return loop_; }
    Database& database() { return database_; }
    const Kind& kind() const { return kind_; }
    Watch& first() { return *watches_[0]; }

    void open()
    {
        database_ = Database::open_blocking(loop_.executor(), options_);
        closes_ = false;
    }
    /// Opens on the loop. Returns false if that fails. The directory may still be locked by an open
    /// that has failed before.
    bool open_on_loop()
    {
        return run("open()", {Error::open_failed, Error::locked},
                   [this] { return open_awaited(); });
    }

    /// Creates bucket b with a key, a cursor, and two watches.
    void furnish()
    {
        Attempt& made = next(0, {"bucket_created =", "put k=first"}, [](Transaction& tx) {
            tx.create_bucket(Structure::btree, "b");
            tx.btree("b").put("k", "first");
            tx.save_cursor("c", 0);
        });
        loop_.finish(begin_commit(made));
        loop_.finish(begin_puts(0, 2));
        // The second watch runs on a strand of its own, and reads from history.
        add_watch("first", kind_, loop_.executor());
        Kind other;
        other.start = Start::revision;
        add_watch("second", other, strand_on(loop_.executor()));
    }
    void wait_ready()
    {
        for (const auto& each : watches_) {
            await(*each, "wait_ready()", [&] { return each->wait_ready(patience); });
        }
    }

    /// Adds a watch of bucket b. Returns null if it cannot be created.
    Watch* add_watch(const char* name, const Kind& kind, const asio::any_io_executor& on)
    {
        return add_watch(name, kind, in("b", all()), on);
    }
    Watch* add_watch(const char* name, const Kind& kind, const Selectors& selectors,
                     const asio::any_io_executor& on)
    {
        auto made = std::make_unique<Watch>(name, loop_, findings_, kind, selectors);
        if (!made->open(database_, on)) {
            return nullptr;
        }
        watches_.push_back(std::move(made));
        return watches_.back().get();
    }

    /// Adds an attempt that puts two keys: a unique one, and one that all attempts put.
    Attempt& next_put(int row)
    {
        const Spared spared;
        const std::string number = std::to_string(attempts_.size());
        return next(row, {"put k=" + number, "put u" + number + "=" + number},
                    [number](Transaction& tx) {
                        BTree b = tx.btree("b");
                        b.put("k", number);
                        b.put(unique(number), number);
                    });
    }

    Attempt& next(int row, std::vector<std::string> messages, std::function<void(Transaction&)> fn)
    {
        const Spared spared;
        Attempt& attempt = attempts_.emplace_back();
        attempt.row = row;
        attempt.origin = "a" + std::to_string(attempts_.size());
        attempt.messages = std::move(messages);
        attempt.fn = [fn = std::move(fn), origin = attempt.origin](Transaction& tx) {
            tx.set_origin(origin);
            fn(tx);
        };
        return attempt;
    }

    /// Starts a coroutine that commits several puts, one after another. It continues if one fails.
    SharedOutcome begin_puts(int row, int count)
    {
        return loop_.begin("update()", put_all(row, count));
    }
    SharedOutcome begin_commit(Attempt& attempt)
    {
        return loop_.begin("update()", commit(&attempt));
    }

    Task commit(Attempt* attempt)
    {
        try {
            attempt->revision = co_await database_.update(std::ref(attempt->fn));
        } catch (...) {
            attempt->error = std::current_exception();
        }
        check_update(attempt->error);
    }

    Task put_all(int row, int count)
    {
        for (int i = 0; i < count; ++i) {
            Attempt* const attempt = &next_put(row);
            try {
                attempt->revision = co_await database_.update(std::ref(attempt->fn));
            } catch (...) {
                attempt->error = std::current_exception();
            }
            check_update(attempt->error);
        }
    }

    /// Checks the error of a commit.
    void check_update(const std::exception_ptr& error)
    {
        if (closes_) {
            loop_.check("update()", error, {Error::storage_failed, Error::closed});
        } else {
            loop_.check("update()", error, {Error::storage_failed});
        }
    }

    /// Runs a coroutine to its end. Returns false if it has thrown; the exception must be bad_alloc
    /// or have one of these codes.
    template <class Make>
    bool run(const char* name, std::initializer_list<Error> reasons, Make make)
    {
        const SharedOutcome outcome = loop_.begin(name, make());
        loop_.finish(outcome, reasons);
        return outcome->done && !outcome->error;
    }

    /// Runs a coroutine that waits for the watch. If `run()` has failed before the watch began, the
    /// coroutine is cancelled, as it would wait for ever.
    template <class Make>
    void await(Watch& watch, const char* name, Make make)
    {
        const SharedOutcome outcome = loop_.begin(name, make());
        loop_.run_until(name, [&] { return outcome->over() || (watch.over() && !watch.begun()); });
        if (!outcome->over()) {
            loop_.cancel(outcome);
            loop_.finish(outcome);
        } else if (watch.kind().overflow == Overflow::stop) {
            loop_.finish(outcome, {Error::watch_ended, Error::overflow});
        } else if (watch.kind().saves) {
            loop_.finish(outcome, {Error::watch_ended, Error::storage_failed});
        } else {
            loop_.finish(outcome, {Error::watch_ended});
        }
    }
    void await_reached(Watch& watch, Revision revision)
    {
        await(watch, "reached()", [&] { return watch.reached(revision); });
    }

    /// Starts a coroutine that closes the database.
    SharedOutcome begin_close()
    {
        closes_ = true;
        for (const auto& each : watches_) {
            each->closes(database_.head_revision());
        }
        return loop_.begin("close()", close());
    }

    bool closes() const { return closes_; }
    const std::vector<std::unique_ptr<Watch>>& watches() const { return watches_; }
    /// Drops the handle, which closes the database.
    void forget()
    {
        closes_ = true;
        has_handle_ = false;
        database_ = Database();
    }
    bool has_handle() const { return has_handle_; }

    /// The writes of a bulk writer, in order, and the number of them that are durable.
    std::vector<std::string> bulk_writes;
    std::size_t bulk_committed = 0;
    static constexpr const char* bulk_origin = "bulk";

    /// A timeout longer than any process lives.
    static constexpr std::chrono::seconds patience{60};

private:
    friend class Verdict;

    static std::string unique(const std::string& number) { return "u" + number; }

    Task open_awaited() { database_ = co_await Database::open(options_); }
    Task close() { co_await database_.close(close_timeout); }

    Findings& findings_;
    const Options options_;
    const Kind kind_;
    Loop loop_;
    Database database_;
    bool closes_ = false;
    bool has_handle_ = true;
    std::deque<Attempt> attempts_;
    std::vector<std::unique_ptr<Watch>> watches_;
};

}  // namespace keywatch::test::oom
