// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/wake_up.hpp"
#include "engine/engine.hpp"

#include <boost/asio/awaitable.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace keywatch::delivery {

namespace asio = boost::asio;

/// Reads history slice by slice. The next slice is read while the last one is being delivered.
///
/// Used by one coroutine. A slice that was read ahead and is not asked for is discarded. A read
/// ahead ends by itself, even after this object was destroyed.
class SliceReader {
public:
    SliceReader(engine::Engine& engine, SliceLimits limits) : engine_(engine), limits_(limits) {}

    /// Returns the commits after `after`, up to `up_to`: see Engine::read_history. A slice that was
    /// read ahead may end before `up_to`, as if the limits had cut it. The slice is valid until the
    /// next call. If `ahead` is true, then the slice after it is read meanwhile.
    asio::awaitable<const HistorySlice*> next(Revision after, Revision up_to, bool ahead);

private:
    struct Result {
        bool done = false;
        HistorySlice slice;
        std::exception_ptr error;
    };
    /// A slice that is read ahead. The wake-up owns the suspended coroutine, so only the read owns
    /// the wake-up: otherwise the coroutine's frame would own itself, and leak when the execution
    /// context is destroyed.
    struct Ahead {
        Revision after = 0;
        std::shared_ptr<Result> result;
        std::weak_ptr<async::WakeUp> ready;
    };

    asio::awaitable<HistorySlice> take(Revision after, Revision up_to);
    asio::awaitable<void> read_ahead(Revision after, Revision up_to, HistorySlice used);
    static asio::awaitable<void> fetch(std::shared_ptr<Result> result,
                                       std::shared_ptr<async::WakeUp> ready,
                                       asio::awaitable<HistorySlice> read);

    engine::Engine& engine_;
    const SliceLimits limits_;
    HistorySlice current_;
    std::optional<Ahead> ahead_;
};

}  // namespace keywatch::delivery
