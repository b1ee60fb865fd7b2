// SPDX-License-Identifier: BSL-1.0
#include <keywatch/database.hpp>
#include <keywatch/error.hpp>

#include "database_state.hpp"

#include "embedded/embedded_engine.hpp"
#include "pipeline/feed.hpp"
#include "pipeline/pipeline.hpp"
#include "values/failure.hpp"

#include <boost/asio/this_coro.hpp>

#include <utility>

namespace [[gnu::visibility("default")]] keywatch {

namespace {

void check(const Options& options)
{
    require_option(!options.location.empty(), "location is empty");
    require_option(options.location.find('\0') == std::string::npos, "location has a NUL byte");
    require_option(!options.read_only || options.location != "memory:", "read_only of memory:");
    require_option(options.max_transaction_bytes > 0, "max_transaction_bytes");
    require_option(options.max_pending_bytes > 0, "max_pending_bytes");
    require_option(options.cache_bytes > 0, "cache_bytes");
    require_option(options.write_buffer_bytes >= 65536, "write_buffer_bytes is less than 64 KiB");
    require_option(options.hub_messages > 0, "hub_messages");
    require_option(options.hub_bytes > 0, "hub_bytes");
    require_option(options.distribute_batches > 0, "distribute_batches");
    require_option(options.batch_messages > 0, "batch_messages");
    require_option(options.distribute_bytes > 0, "distribute_bytes");
    require_option(options.victim_sets > 0, "victim_sets");
    require_option(options.watch_bytes > 0, "watch_bytes");
    require_option(options.history.age > std::chrono::seconds::zero(), "history.age");
    require_option(options.history.bytes > 0, "history.bytes");
    require_option(options.history.commits > 0, "history.commits");
    require_option(options.history.hard_bytes > 0, "history.hard_bytes");
}

std::shared_ptr<DatabaseState> assemble(const asio::any_io_executor& executor,
                                        std::shared_ptr<embedded::EmbeddedEngine> engine,
                                        const Options& options)
{
    auto feed =
        std::make_shared<pipeline::Feed>(watch::Budget{options.hub_messages, options.hub_bytes});
    if (options.enable_watch) {
        engine->set_sink(feed);
    }
    auto pipeline = pipeline::Pipeline::start(executor, engine, std::move(feed), options);
    engine->start_sweeper();
    return std::make_shared<DatabaseState>(std::move(engine), std::move(pipeline));
}

asio::awaitable<Database> open_database(Options options)
{
    check(options);
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto engine = co_await embedded::EmbeddedEngine::open(options);
    std::exception_ptr error;
    try {
        co_return Database(assemble(executor, engine, options));
    } catch (...) {
        error = std::current_exception();
    }
    // Otherwise the database could still be open when this function has failed.
    co_await engine->close();
    std::rethrow_exception(error);
}

asio::awaitable<void> close_database(std::shared_ptr<DatabaseState> state,
                                     std::chrono::milliseconds timeout)
{
    if (timeout < std::chrono::milliseconds::zero()) {
        fail(Error::invalid_option, "timeout");
    }
    co_await pipeline::Pipeline::close(state_of(state).pipeline, timeout);
}

asio::awaitable<std::vector<CursorLag>> list_cursors(std::shared_ptr<DatabaseState> state)
{
    co_return co_await state_of(state).engine->cursors();
}

}  // namespace

DatabaseState::DatabaseState(std::shared_ptr<engine::Engine> engine_,
                             std::shared_ptr<pipeline::Pipeline> pipeline_)
    : engine(std::move(engine_)), pipeline(std::move(pipeline_))
{
}

DatabaseState::~DatabaseState()
{
    pipeline->shutdown().abandon();
}

std::shared_ptr<DatabaseState> DatabaseState::open_blocking(const asio::any_io_executor& executor,
                                                            const Options& options,
                                                            leveldb::Env* base)
{
    check(options);
    auto engine = embedded::EmbeddedEngine::open_blocking(executor, options, base);
    return assemble(executor, std::move(engine), options);
}

DatabaseState& state_of(const std::shared_ptr<DatabaseState>& state)
{
    if (!state) {
        fail(Error::closed);
    }
    return *state;
}

DatabaseState& writable_state_of(const std::shared_ptr<DatabaseState>& state)
{
    if (state_of(state).pipeline->shutdown().refuses_commits()) {
        fail(Error::closed);
    }
    return *state;
}

DatabaseState& open_state_of(const std::shared_ptr<DatabaseState>& state)
{
    if (state_of(state).pipeline->shutdown().has_begun()) {
        fail(Error::closed);
    }
    return *state;
}

asio::awaitable<Database> Database::open(Options options)
{
    return open_database(std::move(options));
}

Database Database::open_blocking(asio::any_io_executor executor, Options options)
{
    return Database(DatabaseState::open_blocking(executor, options));
}

Database::Database(std::shared_ptr<DatabaseState> state) : state_(std::move(state)) {}

asio::awaitable<Revision> detail::update(std::shared_ptr<DatabaseState> state, UpdateFunction fn)
{
    const std::shared_ptr<DatabaseState> keep = std::move(state);
    co_return co_await state_of(keep).engine->commit(std::move(fn));
}

asio::awaitable<void> detail::view(std::shared_ptr<DatabaseState> state, ViewFunction fn)
{
    const std::shared_ptr<DatabaseState> keep = std::move(state);
    co_await state_of(keep).engine->read(std::move(fn));
}

asio::awaitable<std::vector<CursorLag>> Database::cursors() const
{
    return list_cursors(state_);
}

asio::awaitable<void> Database::close(std::chrono::milliseconds timeout)
{
    return close_database(state_, timeout);
}

Revision Database::head_revision() const
{
    return state_of(state_).engine->durable_head();
}

Revision Database::oldest_revision() const
{
    return state_of(state_).engine->oldest();
}

Position Database::head_position() const
{
    const engine::Engine& engine = *state_of(state_).engine;
    return {engine.history_id(), engine.durable_head()};
}

}  // namespace keywatch
