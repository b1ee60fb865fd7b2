// SPDX-License-Identifier: BSL-1.0
#include "embedded_engine.hpp"

#include "async/run_on.hpp"
#include "values/failure.hpp"

#include <functional>
#include <utility>

// Access to cursors outside of transactions.
namespace keywatch::embedded {

std::optional<Position> EmbeddedEngine::cursor(std::string_view name) const
{
    if (!views_.enter()) {
        fail(Error::closed);
    }
    const ViewGate::Inside inside{views_};
    const auto stored = store_->get(storage::cursor_key(name), nullptr);
    return stored ? std::optional(store_->cursor(name, *stored).position) : std::nullopt;
}

asio::awaitable<std::vector<CursorLag>> EmbeddedEngine::cursors()
{
    return run_cursors(shared_from_this());
}

asio::awaitable<std::vector<CursorLag>> EmbeddedEngine::run_cursors(
    std::shared_ptr<EmbeddedEngine> self)
{
    std::vector<CursorLag> cursors;
    const auto read = [&] { cursors = self->store_->cursor_lags(self->clock_.now()); };
    const bool taken = co_await run_on(self->reader_, self, std::ref(read));
    if (!taken) {
        fail(Error::closed);
    }
    co_return cursors;
}

}  // namespace keywatch::embedded
