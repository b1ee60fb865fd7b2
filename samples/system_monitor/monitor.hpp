// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "alert.hpp"
#include "audit.hpp"
#include "display.hpp"
#include "sampler.hpp"
#include "settings.hpp"

#include <keywatch/keywatch.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/signal_set.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace system_monitor {

/// The program: one sampler that commits, and watchers of the commits. Everything runs in one event
/// loop on one thread, so no locks are needed.
class Monitor {
public:
    Monitor(const asio::any_io_executor& executor, Settings settings);

    /// Runs until a signal arrives or the time is over. Then everything has been delivered and the
    /// database is closed.
    asio::awaitable<void> run();

private:
    void watch(kw::Database& db);
    void stop_on_signal();
    std::string summary(kw::Revision head) const;

    asio::any_io_executor executor_;
    Settings settings_;
    std::unique_ptr<Display> display_;
    std::vector<Alert> alerts_;
    std::optional<Audit> audit_;
    Sampler sampler_;
    asio::signal_set signals_;
};

}  // namespace system_monitor
