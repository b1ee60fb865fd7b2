// SPDX-License-Identifier: BSL-1.0
#include "async/run_on.hpp"
#include "embedded/embedded_engine.hpp"
#include "values/failure.hpp"

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

// Streaming of a state: the reader thread reads the next part while the last one is delivered.
namespace keywatch::embedded {

/// The reading of a state, with one part read ahead. Used only by the reader thread, except that
/// any thread may destroy it.
class EmbeddedEngine::StateReading : public std::enable_shared_from_this<StateReading> {
public:
    using Part = std::shared_ptr<const CommitRecord>;

    StateReading(EmbeddedEngine& engine, const Selectors& selectors)
        : state_(engine.states_, *engine.store_, engine.clock_, engine.begun_, selectors)
    {
    }

    StateReader& reader() { return state_.reader(); }

    /// Returns the next part, and has the thread read the one after it.
    Part take(async::WorkerThread& thread, const SliceLimits& limits, Part used)
    {
        if (!ahead_) {
            read(limits, nullptr);
        }
        if (error_) {
            std::rethrow_exception(error_);
        }
        Part part = *std::exchange(ahead_, std::nullopt);
        if (part) {
            thread.post([self = shared_from_this(), limits, used = std::move(used)]() mutable {
                self->read(limits, std::move(used));
            });
        }
        return part;
    }

private:
    void read(const SliceLimits& limits, Part used) noexcept
    {
        try {
            ahead_ = state_.reader().next(limits, std::move(used));
        } catch (...) {
            error_ = std::current_exception();
        }
    }

    OpenState state_;
    std::optional<Part> ahead_;
    std::exception_ptr error_;
};

class EmbeddedEngine::EmbeddedState final : public engine::StateStream {
public:
    using Part = StateReading::Part;

    EmbeddedState(std::shared_ptr<EmbeddedEngine> engine, std::shared_ptr<StateReading> reading)
        : engine_(std::move(engine)),
          reading_(std::move(reading)),
          revision_(reading_->reader().revision()),
          time_(reading_->reader().time())
    {
    }

    Revision revision() const noexcept override { return revision_; }
    Time time() const noexcept override { return time_; }
    using engine::StateStream::next;
    asio::awaitable<Part> next(SliceLimits limits, Part used) override
    {
        return run_next(engine_, reading_, limits, std::move(used));
    }

private:
    static asio::awaitable<Part> run_next(std::shared_ptr<EmbeddedEngine> engine,
                                          std::shared_ptr<StateReading> reading, SliceLimits limits,
                                          Part used)
    {
        Part part;
        // This runs after the task that reads ahead: tasks run in the order in which they were
        // posted.
        const auto take = [&] { part = reading->take(engine->reader_, limits, std::move(used)); };
        const bool taken = co_await run_on(engine->reader_, engine, std::ref(take));
        if (!taken) {
            fail(Error::closed);
        }
        co_return part;
    }

    const std::shared_ptr<EmbeddedEngine> engine_;
    const std::shared_ptr<StateReading> reading_;
    const Revision revision_;
    const Time time_;
};

asio::awaitable<std::shared_ptr<engine::StateStream>> EmbeddedEngine::open_state(
    Selectors selectors)
{
    return run_open_state(shared_from_this(), std::move(selectors));
}

asio::awaitable<std::shared_ptr<engine::StateStream>> EmbeddedEngine::run_open_state(
    std::shared_ptr<EmbeddedEngine> self, Selectors selectors)
{
    std::shared_ptr<StateReading> reading;
    const auto open = [&] { reading = std::make_shared<StateReading>(*self, selectors); };
    const bool taken = co_await run_on(self->reader_, self, std::ref(open));
    if (!taken) {
        fail(Error::closed);
    }
    std::shared_ptr<engine::StateStream> stream =
        std::make_shared<EmbeddedState>(std::move(self), std::move(reading));
    co_return stream;
}

}  // namespace keywatch::embedded
