// SPDX-License-Identifier: BSL-1.0
#include "sampler.hpp"

#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace system_monitor {

namespace {

/// Replaces the contents of the bucket by these figures. A figure that has disappeared from the
/// machine, such as that of an unplugged disk, is erased. The result depends only on the figures,
/// because a transaction may be run more than once.
void store(kw::Transaction& transaction, const Figures& figures)
{
    if (!transaction.has_bucket(kw::Structure::btree, figures_bucket)) {
        transaction.create_bucket(kw::Structure::btree, figures_bucket);
    }
    kw::BTree bucket = transaction.btree(figures_bucket);
    for (const auto& [name, old_value] : bucket.scan().to_vector()) {
        if (!figures.contains(name)) {
            bucket.erase(name);
        }
    }
    for (const auto& [name, value] : figures) {
        bucket.put(name, value);
    }
}

}  // namespace

asio::awaitable<void> Sampler::run(kw::Database db, Clock::time_point end)
{
    Reading before = read_proc();
    Clock::time_point next = Clock::now();
    for (;;) {
        next = std::max(next + interval_, Clock::now());  // no burst after a delay
        const bool waited = co_await wait_until(std::min(next, end));
        if (!waited || Clock::now() >= end) {
            break;
        }
        Reading now = read_proc();
        const Figures figures = figures_between(before, now);
        co_await db.update([&](kw::Transaction& transaction) { store(transaction, figures); });
        ++commits_;
        before = std::move(now);
    }
}

void Sampler::stop()
{
    stopped_ = true;
    timer_.cancel();
}

asio::awaitable<bool> Sampler::wait_until(Clock::time_point time)
{
    if (!stopped_) {
        timer_.expires_at(time);
        co_await timer_.async_wait(asio::experimental::as_tuple(asio::use_awaitable));
    }
    co_return !stopped_;
}

}  // namespace system_monitor
