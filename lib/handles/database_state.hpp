// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "engine/engine.hpp"
#include "pipeline/pipeline.hpp"

#include <keywatch/options.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace leveldb {
class Env;
}

namespace keywatch {

/// The state shared by the handles of one database. The last handle closes the database when it is
/// destroyed, without waiting.
class DatabaseState {
public:
    DatabaseState(std::shared_ptr<engine::Engine> engine,
                  std::shared_ptr<pipeline::Pipeline> pipeline);
    DatabaseState(const DatabaseState&) = delete;
    DatabaseState& operator=(const DatabaseState&) = delete;
    ~DatabaseState();

    /// Same as Database::open_blocking. `base` is the environment that LevelDB runs on, for tests.
    static std::shared_ptr<DatabaseState> open_blocking(
        const boost::asio::any_io_executor& executor, const Options& options,
        leveldb::Env* base = nullptr);

    const std::shared_ptr<engine::Engine> engine;
    const std::shared_ptr<pipeline::Pipeline> pipeline;
};

/// Returns the state that a handle refers to. Throws `closed` if the handle is empty.
DatabaseState& state_of(const std::shared_ptr<DatabaseState>& state);
/// Same as `state_of`. Also throws `closed` if the database no longer takes commits.
DatabaseState& writable_state_of(const std::shared_ptr<DatabaseState>& state);
/// Same as `state_of`. Also throws `closed` if closing the database has begun.
DatabaseState& open_state_of(const std::shared_ptr<DatabaseState>& state);

}  // namespace keywatch
