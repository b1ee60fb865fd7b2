// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "oom_life.hpp"

#include <keywatch/keywatch.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <unistd.h>

namespace keywatch::test::oom {

// Scenarios of transactions and views while memory runs out.

struct Refusal {};

inline Task update_and_refuse(Life* life)
{
    const auto fn = [](Transaction& tx) {
        tx.btree("b").put("refused", "1");
        throw Refusal();
    };
    bool refused = false;
    std::exception_ptr error;
    try {
        co_await life->database().update(fn);
    } catch (const Refusal&) {
        refused = true;
    } catch (...) {
        error = std::current_exception();
    }
    if (!refused && !error) {
        error = std::make_exception_ptr(std::logic_error("the exception did not come out"));
    }
    if (error) {
        life->check_update(error);
    }
}

inline void throw_in_update(Life& life)
{
    const SharedOutcome puts = life.begin_puts(1, 1);
    life.run("update()", {}, [&] { return update_and_refuse(&life); });
    life.loop().finish(puts);
}

inline Task look(Life* life)
{
    const auto fn = [](const Snapshot& snapshot) {
        std::size_t keys = 0;
        for (const auto& [key, value] : snapshot.btree("b").scan()) {
            keys += key.size();
        }
        return snapshot.btree("b").get("k").has_value() ? keys : 0;
    };
    const std::size_t keys = co_await life->database().view(fn);
    const std::optional<std::string> value = co_await life->database().get("b", "k");
    if (keys == 0 || !value) {
        throw std::logic_error("a key is not there");
    }
}

inline void view(Life& life)
{
    const SharedOutcome puts = life.begin_puts(1, 1);
    life.run("view()", {}, [&] { return look(&life); });
    life.loop().finish(puts);
}

/// Uses shortcuts that change nothing, as their commits would have no origin.
inline Task put_and_count(Life* life)
{
    Database db = life->database();
    std::exception_ptr error;
    try {
        const auto once = co_await db.erase("b", "nothing");
        const auto again = co_await db.erase("b", "nothing");
        if (once.value || again.value) {
            throw std::logic_error("it erased nothing");
        }
    } catch (...) {
        error = std::current_exception();
    }
    if (error) {
        life->check_update(error);
    }
}

inline void use_shortcuts(Life& life)
{
    life.run("erase()", {}, [&] { return put_and_count(&life); });
}

/// Writes all through a bulk writer. If that fails, begins again at the first write that is not
/// durable.
inline Task write_all(Life* life)
{
    std::optional<BulkWriter> writer;
    std::exception_ptr error;
    while (!writer) {
        try {
            BulkWriterOptions options;
            options.transaction_bytes = 150;
            options.in_flight = 1;
            options.origin = Life::bulk_origin;
            writer.emplace(life->database().bulk_writer(options));
        } catch (...) {
            error = std::current_exception();
        }
        life->check_update(error);
    }
    bool fails = false;
    while (!fails && writer->committed() < life->bulk_writes.size()) {
        error = nullptr;
        try {
            for (std::size_t i = writer->committed(); i < life->bulk_writes.size(); ++i) {
                const std::string_view line = life->bulk_writes[i];
                const auto equals = line.find('=');
                co_await writer->put("b", line.substr(4, equals - 4), line.substr(equals + 1));
            }
            co_await writer->flush();
        } catch (...) {
            error = std::current_exception();
        }
        life->check_update(error);
        writer->cancel();
        fails = error && !is_one_of(error, {});
        error = nullptr;
        try {
            co_await writer->flush();  // waits for what is being committed
        } catch (...) {
            error = std::current_exception();
        }
        life->check_update(error);
    }
    life->bulk_committed = writer->committed();
}

inline void load(Life& life)
{
    for (int i = 0; i < 8; ++i) {
        const std::string number = std::to_string(i);
        life.bulk_writes.push_back("put w" + number + '=' + number);
    }
    const SharedOutcome puts = life.begin_puts(1, 1);
    life.run("a bulk writer", {}, [&] { return write_all(&life); });
    life.loop().finish(puts);
}

/// Creates the structures whose state the checker knows in bucket b, the others in bucket x.
inline void make_structures(Life& life)
{
    Attempt& made = life.next(
        4,
        {"bucket_created =", "bucket_created =", "bucket_created =", "bucket_created =", "put n=1"},
        [](Transaction& tx) {
            tx.create_bucket(Structure::set, "b");
            tx.create_bucket(Structure::sorted_set, "b");
            tx.create_bucket(Structure::list, "x");
            tx.create_bucket(Structure::btree, "x");
            tx.btree("x").put("n", "1");
        });
    life.loop().finish(life.begin_commit(made));
    const Selectors x = in("x", all());
    life.add_watch("lists", life.kind(), x, life.loop().executor());
}

inline void use_structures(Life& life)
{
    Attempt& lists =
        life.next(5, {"push_back l=a", "push_front l=b", "insert l=c", "pop_back l=a", "put n=2"},
                  [](Transaction& tx) {
                      List list = tx.list("x");
                      list.push_back("l", "a");
                      list.push_front("l", "b");
                      list.insert("l", 0, "c");
                      list.pop_back("l");
                      tx.btree("x").increment("n");
                  });
    Attempt& sets = life.next(5, {"add s=m", "add s=n", "remove s=n", "add z=m", "add z=n"},
                              [](Transaction& tx) {
                                  Set set = tx.set("b");
                                  set.add("s", "m");
                                  set.add("s", "n");
                                  set.remove("s", "n");
                                  SortedSet sorted = tx.sorted_set("b");
                                  sorted.add("z", "m", 1);
                                  sorted.add("z", "n", 2);
                              });
    life.loop().finish(life.begin_commit(lists));
    life.loop().finish(life.begin_commit(sets));
}

inline Task ask_for_cursors(Life* life)
{
    const auto cursors = co_await life->database().cursors();
    if (cursors.size() != 1) {
        throw std::logic_error("a cursor is not there");
    }
}

inline void list_cursors(Life& life)
{
    const SharedOutcome puts = life.begin_puts(1, 1);
    life.run("cursors()", {}, [&] { return ask_for_cursors(&life); });
    life.loop().finish(puts);
}

inline void ask_for_figures(Life& life)
{
    const SharedOutcome puts = life.begin_puts(1, 1);
    const Database& db = life.database();
    life.loop().call("watchers()", {}, [&] { db.watchers(); });
    life.loop().call("explain()", {}, [&] { db.explain("b", "k"); });
    life.loop().call("stats()", {}, [&] { db.stats(); });
    life.loop().call("head_position()", {}, [&] { db.head_position(); });
    life.loop().finish(puts);
}

/// Reports whether commits are refused, without changing anything.
inline Task commit_nothing(Life* life, std::exception_ptr* error)
{
    const auto nothing = [](Transaction&) {};
    try {
        co_await life->database().update(nothing);
    } catch (...) {
        *error = std::current_exception();
    }
    life->check_update(*error);
}

/// Puts a key that expires soon, and waits for its sweep, unless commits are refused.
inline void sweep(Life& life)
{
    Attempt& put = life.next(4, {"put gone=1"}, [](Transaction& tx) {
        tx.btree("b").put("gone", "1", std::chrono::milliseconds(2));
    });
    life.loop().finish(life.begin_commit(put));
    bool refused = false;
    while (put.revision != 0 && !refused && life.database().head_revision() <= put.revision) {
        ::usleep(1000);
        std::exception_ptr error;
        life.run("the sweep", {}, [&] { return commit_nothing(&life, &error); });
        refused = error && !is_one_of(error, {});
    }
}

}  // namespace keywatch::test::oom
