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

/// What the handles of one database share. The last one to let go closes it, without waiting.
class DatabaseState {
public:
    DatabaseState(std::shared_ptr<engine::Engine> engine,
                  std::shared_ptr<pipeline::Pipeline> pipeline);
    DatabaseState(const DatabaseState&) = delete;
    DatabaseState& operator=(const DatabaseState&) = delete;
    ~DatabaseState();

    /// As Database::open_blocking. `base`: for tests, what LevelDB is to run on.
    static std::shared_ptr<DatabaseState> open_blocking(
        const boost::asio::any_io_executor& executor, const Options& options,
        leveldb::Env* base = nullptr);

    const std::shared_ptr<engine::Engine> engine;
    const std::shared_ptr<pipeline::Pipeline> pipeline;
};

/// What a handle refers to; `closed` of a handle to nothing.
DatabaseState& state_of(const std::shared_ptr<DatabaseState>& state);
/// The same, of a database that takes commits.
DatabaseState& writable_state_of(const std::shared_ptr<DatabaseState>& state);
/// The same, of a database that nobody has begun to close.
DatabaseState& open_state_of(const std::shared_ptr<DatabaseState>& state);

}  // namespace keywatch
