// SPDX-License-Identifier: BSL-1.0
#include "slice_reader.hpp"

#include "async/spawn.hpp"

#include <boost/asio/this_coro.hpp>

namespace keywatch::delivery {

asio::awaitable<const HistorySlice*> SliceReader::next(Revision after, Revision up_to, bool ahead)
{
    HistorySlice used = std::exchange(current_, co_await take(after, up_to));
    if (ahead && !current_.compacted && current_.reached < up_to) {
        co_await read_ahead(current_.reached, up_to, std::move(used));
    }
    co_return &current_;
}

asio::awaitable<HistorySlice> SliceReader::take(Revision after, Revision up_to)
{
    const std::optional<Ahead> ahead = std::exchange(ahead_, std::nullopt);
    if (!ahead || ahead->after != after) {
        co_return co_await engine_.read_history(after, up_to, limits_);
    }
    if (!ahead->result->done) {
        auto wait = [&](async::Waiter waiter) { ahead->ready.lock()->add(std::move(waiter)); };
        co_await async::suspend(wait);
    }
    if (ahead->result->error) {
        std::rethrow_exception(ahead->result->error);
    }
    co_return std::move(ahead->result->slice);
}

asio::awaitable<void> SliceReader::read_ahead(Revision after, Revision up_to, HistorySlice used)
{
    const auto result = std::make_shared<Result>();
    const auto ready = std::make_shared<async::WakeUp>();
    ahead_.emplace(Ahead{after, result, ready});
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    // The handler does nothing: the outcome of the read is in `result`.
    async::spawn(executor,
                 fetch(result, ready, engine_.read_history(after, up_to, limits_, std::move(used))),
                 [](std::exception_ptr) {});
}

asio::awaitable<void> SliceReader::fetch(std::shared_ptr<Result> result,
                                         std::shared_ptr<async::WakeUp> ready,
                                         asio::awaitable<HistorySlice> read)
{
    try {
        result->slice = co_await std::move(read);
    } catch (...) {
        result->error = std::current_exception();
    }
    result->done = true;
    ready->notify();
}

}  // namespace keywatch::delivery
