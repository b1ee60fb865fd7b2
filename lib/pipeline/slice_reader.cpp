// SPDX-License-Identifier: BSL-1.0
#include "slice_reader.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

namespace keywatch::pipeline {

asio::awaitable<const engine::HistorySlice*> SliceReader::next(Revision after, Revision up_to,
                                                               bool ahead)
{
    engine::HistorySlice used = std::exchange(current_, co_await take(after, up_to));
    if (ahead && !current_.compacted && current_.reached < up_to) {
        co_await read_ahead(current_.reached, up_to, std::move(used));
    }
    co_return &current_;
}

asio::awaitable<engine::HistorySlice> SliceReader::take(Revision after, Revision up_to)
{
    const std::shared_ptr<Ahead> ahead = std::exchange(ahead_, nullptr);
    if (!ahead || ahead->after != after) {
        co_return co_await engine_.read_history(after, up_to, limits_);
    }
    while (!ahead->done) {
        co_await ahead->ready.wait();
    }
    if (ahead->error) {
        std::rethrow_exception(ahead->error);
    }
    co_return std::move(ahead->slice);
}

asio::awaitable<void> SliceReader::read_ahead(Revision after, Revision up_to,
                                              engine::HistorySlice used)
{
    ahead_ = std::make_shared<Ahead>();
    ahead_->after = after;
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    // The handler needs nothing: what becomes of the read is in `ahead_`.
    asio::co_spawn(executor,
                   fetch(ahead_, engine_.read_history(after, up_to, limits_, std::move(used))),
                   [](std::exception_ptr) {});
}

asio::awaitable<void> SliceReader::fetch(std::shared_ptr<Ahead> ahead,
                                         asio::awaitable<engine::HistorySlice> read)
{
    try {
        ahead->slice = co_await std::move(read);
    } catch (...) {
        ahead->error = std::current_exception();
    }
    ahead->done = true;
    ahead->ready.notify();
}

}  // namespace keywatch::pipeline
