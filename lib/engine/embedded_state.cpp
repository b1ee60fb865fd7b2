// SPDX-License-Identifier: BSL-1.0
#include "embedded_engine.hpp"

#include "thread_task.hpp"

#include <functional>
#include <utility>

// How a state is streamed: on the reader thread, each part when it is asked for.
namespace keywatch::engine {

class EmbeddedEngine::EmbeddedState final : public StateStream {
public:
    using Part = std::shared_ptr<const CommitRecord>;

    EmbeddedState(std::shared_ptr<EmbeddedEngine> engine, std::shared_ptr<OpenState> state)
        : engine_(std::move(engine)),
          state_(std::move(state)),
          revision_(state_->reader().revision()),
          time_(state_->reader().time())
    {
    }

    Revision revision() const noexcept override { return revision_; }
    Time time() const noexcept override { return time_; }
    using StateStream::next;
    asio::awaitable<Part> next(SliceLimits limits, Part used) override
    {
        return run_next(engine_, state_, limits, std::move(used));
    }

private:
    static asio::awaitable<Part> run_next(std::shared_ptr<EmbeddedEngine> engine,
                                          std::shared_ptr<OpenState> state, SliceLimits limits,
                                          Part used)
    {
        Part part;
        const auto read = [&] { part = state->reader().next(limits, std::move(used)); };
        const bool taken = co_await run_on(engine->reader_, state, std::ref(read));
        if (!taken) {
            fail(Error::closed);
        }
        co_return part;
    }

    const std::shared_ptr<EmbeddedEngine> engine_;
    const std::shared_ptr<OpenState> state_;
    const Revision revision_;
    const Time time_;
};

asio::awaitable<std::shared_ptr<StateStream>> EmbeddedEngine::open_state(Selectors selectors)
{
    return run_open_state(shared_from_this(), std::move(selectors));
}

asio::awaitable<std::shared_ptr<StateStream>> EmbeddedEngine::run_open_state(
    std::shared_ptr<EmbeddedEngine> self, Selectors selectors)
{
    std::shared_ptr<OpenState> state;
    const auto open = [&] {
        state = std::make_shared<OpenState>(self->states_, *self->store_, self->clock_,
                                            self->begun_, selectors);
    };
    const bool taken = co_await run_on(self->reader_, self, std::ref(open));
    if (!taken) {
        fail(Error::closed);
    }
    std::shared_ptr<StateStream> stream =
        std::make_shared<EmbeddedState>(std::move(self), std::move(state));
    co_return stream;
}

}  // namespace keywatch::engine
