// SPDX-License-Identifier: BSL-1.0
#include "embedded_engine.hpp"

#include <utility>

// What the engine tells of cursors outside of transactions.
namespace keywatch::engine {

std::optional<Revision> EmbeddedEngine::cursor(std::string_view name) const
{
    if (!views_.enter()) {
        fail(Error::closed);
    }
    struct Leave {
        ViewGate& gate;
        ~Leave() { gate.leave(); }
    } const leave{views_};
    const auto stored = store_->get(storage::cursor_key(name), nullptr);
    return stored ? std::optional(store_->cursor(name, *stored).position.revision) : std::nullopt;
}

asio::awaitable<std::vector<CursorLag>> EmbeddedEngine::cursors()
{
    return run_cursors(shared_from_this());
}

asio::awaitable<std::vector<CursorLag>> EmbeddedEngine::run_cursors(
    std::shared_ptr<EmbeddedEngine> self)
{
    std::vector<CursorLag> cursors;
    bool refused = false;
    // As in run_read_history.
    auto read = [&](async::Waiter waiter) {
        auto done = std::make_shared<async::Waiter>(std::move(waiter));
        auto task = [&, done, engine = self.get()] {
            std::exception_ptr error;
            try {
                cursors = engine->store_->cursor_lags(engine->clock_.now());
            } catch (...) {
                error = std::current_exception();
            }
            done->complete(error);
        };
        if (!self->reader_.post(std::move(task))) {
            refused = true;
            done->complete();
        }
    };
    co_await async::suspend(read);
    if (refused) {
        fail(Error::closed);
    }
    co_return cursors;
}

}  // namespace keywatch::engine
