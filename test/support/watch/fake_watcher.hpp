// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "pipeline/watcher_interface.hpp"

#include <keywatch/selector.hpp>
#include <keywatch/watcher_info.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <string_view>
#include <utility>

namespace keywatch::test {

/// A watch that records what the pipeline does with it.
class FakeWatcher final : public pipeline::WatcherInterface {
public:
    explicit FakeWatcher(std::uint64_t id = 1)
        : WatcherInterface(in("b", all()), Filter(), Budget{10, 1000}), id_(id)
    {
    }

    std::uint64_t id() const noexcept override { return id_; }
    WatcherInfo info() const override { return {}; }
    bool would_reach(std::string_view, std::string_view) const override { return false; }
    void start_worker() noexcept override { ++started; }
    void wake() override { ++woken; }
    bool waits_for(Revision revision) const override { return waits_at == revision; }
    Revision next_wake(Revision) override { return std::exchange(waits_next, 0); }
    void close_at(Revision) override {}
    void close_now() override {}
    void fail(std::exception_ptr given) override { error = std::move(given); }
    void database_closed() override {}
    bool consumer_is_busy() const override { return false; }
    bool runs_on(const boost::asio::any_io_executor&) const override { return false; }
    void added() override {}
    void rejected(std::exception_ptr) override {}
    void context_shutdown() noexcept override {}

    int started = 0;
    int woken = 0;
    std::exception_ptr error;
    Revision waits_at = 0;    ///< the revision that `waits_for` says yes to
    Revision waits_next = 0;  ///< returned by `next_wake`, once

private:
    const std::uint64_t id_;
};

}  // namespace keywatch::test
