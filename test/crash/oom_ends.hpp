// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "oom_life.hpp"

#include <keywatch/keywatch.hpp>

#include <unistd.h>

namespace keywatch::test::oom {

// Scenarios that end one watch, or all of them, while memory runs out.

inline void stop_a_watch(Life& life)
{
    const SharedOutcome puts = life.begin_puts(1, 2);
    Watch& watch = life.first();
    if (life.run("stop()", {}, [&] { return watch.stop(); })) {
        life.loop().finish(watch.outcome());
    }
    life.loop().finish(puts);
}

inline void request_a_stop(Life& life)
{
    const SharedOutcome puts = life.begin_puts(1, 2);
    Watch& watch = life.first();
    if (life.loop().call("request_stop()", {}, [&] { watch.request_stop(); })) {
        life.loop().finish(watch.outcome());
    }
    life.loop().finish(puts);
}

inline void drain_a_watch(Life& life)
{
    const SharedOutcome puts = life.begin_puts(1, 2);
    Watch& watch = life.first();
    const Revision head = life.database().head_revision();
    if (life.run("drain()", {}, [&] { return watch.drain(); })) {
        life.loop().finish(watch.outcome());
        watch.was_drained_to(head);
    }
    life.loop().finish(puts);
}

inline void cancel_a_watch(Life& life)
{
    const SharedOutcome puts = life.begin_puts(1, 2);
    Watch& watch = life.first();
    if (watch.kind().consumer != Consumer::pulled) {  // a pulled watch would only end one wait()
        life.loop().cancel(watch.outcome());
        life.loop().finish(watch.outcome());
    }
    life.loop().finish(puts);
}

inline void make_another_bucket(Life& life)
{
    Attempt& made = life.next(4, {"bucket_created =", "put k=x"}, [](Transaction& tx) {
        tx.create_bucket(Structure::btree, "x");
        tx.btree("x").put("k", "x");
    });
    life.loop().finish(life.begin_commit(made));
    const Selectors x = in("x", all());
    life.add_watch("watch of what is dropped", life.kind(), x, life.loop().executor());
    life.add_watch("whole database", life.kind(), whole_database(), life.loop().executor());
}

inline void drop_a_bucket(Life& life)
{
    Attempt& dropped = life.next(4, {"bucket_deleted ="},
                                 [](Transaction& tx) { tx.delete_bucket(Structure::btree, "x"); });
    const SharedOutcome puts = life.begin_puts(1, 2);
    life.loop().finish(life.begin_commit(dropped));
    if (dropped.revision != 0) {
        life.loop().finish(life.watches()[2]->outcome());
    }
    life.loop().finish(puts);
}

/// Waits for progress markers while nothing is committed.
inline void wait_for_progress(Life& life)
{
    life.loop().finish(life.begin_puts(1, 1));
    const Watch& watch = life.first();
    life.loop().run_until("a progress marker",
                          [&] { return watch.over() || watch.count_of(Operation::progress) >= 2; });
}

inline void open(Life& life)
{
    while (!life.open_on_loop()) {
        ::usleep(1000);
    }
    disarm();
    life.furnish();
}

/// Closes while commits wait. Those acknowledged before are delivered.
inline void close_with_commits(Life& life)
{
    const SharedOutcome puts = life.begin_puts(1, 2);
    const SharedOutcome closed = life.begin_close();
    life.loop().finish(puts);
    life.loop().finish(closed, {});
}

/// Closes by dropping the last handle.
inline void forget(Life& life)
{
    life.loop().finish(life.begin_puts(1, 1));
    life.loop().call("the end of the last handle", {}, [&] { life.forget(); });
}

}  // namespace keywatch::test::oom
