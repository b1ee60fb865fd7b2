// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/wake_up.hpp"
#include "engine/engine.hpp"

#include <boost/asio/awaitable.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace keywatch::pipeline {

namespace asio = boost::asio;

/// Reads history slice by slice, the next one while the last one is being delivered.
///
/// Used by one coroutine. A slice that was read ahead and is not asked for is thrown away; the read
/// ends by itself, also after this object has.
class SliceReader {
public:
    SliceReader(engine::Engine& engine, engine::SliceLimits limits)
        : engine_(engine), limits_(limits)
    {
    }

    /// Commits after `after` up to `up_to`, as Engine::read_history gives them. What was read ahead
    /// may end before `up_to`, as if the limits had cut it. Valid until the next call. `ahead`:
    /// whether to read on meanwhile.
    asio::awaitable<const engine::HistorySlice*> next(Revision after, Revision up_to, bool ahead);

private:
    struct Result {
        bool done = false;
        engine::HistorySlice slice;
        std::exception_ptr error;
    };
    /// The wake-up holds whoever waits, so it belongs to the read alone: else, at the end of the
    /// execution context, who waits would own himself.
    struct Ahead {
        Revision after = 0;
        std::shared_ptr<Result> result;
        std::weak_ptr<async::WakeUp> ready;
    };

    asio::awaitable<engine::HistorySlice> take(Revision after, Revision up_to);
    asio::awaitable<void> read_ahead(Revision after, Revision up_to, engine::HistorySlice used);
    static asio::awaitable<void> fetch(std::shared_ptr<Result> result,
                                       std::shared_ptr<async::WakeUp> ready,
                                       asio::awaitable<engine::HistorySlice> read);

    engine::Engine& engine_;
    const engine::SliceLimits limits_;
    engine::HistorySlice current_;
    std::optional<Ahead> ahead_;
};

}  // namespace keywatch::pipeline
