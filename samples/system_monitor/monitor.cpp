// SPDX-License-Identifier: BSL-1.0
#include "monitor.hpp"

#include <boost/asio/co_spawn.hpp>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <utility>

namespace system_monitor {

namespace {

using namespace std::chrono_literals;

kw::Options database_options(const Settings& settings)
{
    kw::Options options{settings.database().string()};
    options.enable_watch = true;
    // The audit file is written to disk line by line. If the commits were not
    // (Durability::buffered), a power cut could leave the file ahead of the database, with commits
    // that were lost.
    options.durability = kw::Durability::sync;
    // History is limited to days of samples by size, not by age: what the audit did not receive
    // before the program was killed must still exist when it is restarted, even a year later.
    options.history.bytes = std::uint64_t{256} << 20;
    options.history.age = 24h * 365 * 100;
    return options;
}

/// Runs a watcher. A signal may have closed the database before `run()` is called.
asio::awaitable<void> run_watcher(kw::Watcher watcher)
{
    try {
        co_await watcher.run();
    } catch (const boost::system::system_error& error) {
        if (error.code() != kw::Error::closed) {
            throw;
        }
    }
}

}  // namespace

Monitor::Monitor(const asio::any_io_executor& executor, Settings settings)
    : executor_(executor),
      settings_(std::move(settings)),
      display_(make_display()),
      sampler_(executor, settings_.interval),
      signals_(executor, SIGINT, SIGTERM)
{
    for (const AlertRule& rule : settings_.alerts) {
        alerts_.emplace_back(rule, *display_);
    }
}

asio::awaitable<void> Monitor::run()
{
    const Sampler::Clock::time_point end = settings_.duration
                                               ? Sampler::Clock::now() + *settings_.duration
                                               : Sampler::Clock::time_point::max();
    stop_on_signal();
    std::filesystem::create_directories(settings_.data);
    display_->note("database: " + settings_.database().string());
    kw::Database db = co_await kw::Database::open(database_options(settings_));
    watch(db);
    co_await sampler_.run(db, end);
    const kw::Revision head = db.head_revision();
    co_await db.close();  // every watcher receives all commits, then its run() returns
    signals_.cancel();    // a pending wait for them would keep the event loop running
    display_->end(summary(head));
}

/// Starts the watchers. An exception of a watcher (a full disk, from the audit) ends the program,
/// because the handler `rethrow` passes it out of the event loop.
void Monitor::watch(kw::Database& db)
{
    // The file is opened only now: the database is open, so no other process uses the file.
    audit_.emplace(db, settings_.audit, *display_);
    const std::optional<kw::Position>& last = audit_->file().position();
    display_->note("audit:    " + audit_->file().path().string() +
                   (last ? ", goes on after revision " + std::to_string(last->revision) : ""));
    asio::co_spawn(executor_, audit_->run(), kw::rethrow);

    kw::WatchOptions table;
    table.name = "table";
    table.callback_timeout = 24h;  // a terminal that is stopped with Ctrl-S blocks writes
    const auto show = [this](const kw::Commit& commit) { display_->show(commit); };
    kw::Watcher table_watcher = db.watch(figures_bucket, kw::all(), show, table);
    asio::co_spawn(executor_, run_watcher(table_watcher), kw::rethrow);

    for (Alert& alert : alerts_) {
        kw::WatchOptions options = table;
        options.name = "alert " + alert.figure();
        const auto tell = [&alert](const kw::Message& message) { alert.on_message(message); };
        kw::Watcher watcher = db.watch(figures_bucket, kw::key(alert.figure()), tell, options);
        asio::co_spawn(executor_, run_watcher(watcher), kw::rethrow);
    }
}

void Monitor::stop_on_signal()
{
    signals_.async_wait([this](const boost::system::error_code& error, int) {
        if (!error) {
            sampler_.stop();
            signals_.clear();  // a second Ctrl-C ends the program at once
        }
    });
}

std::string Monitor::summary(kw::Revision head) const
{
    std::uint64_t alerts = 0;
    for (const Alert& alert : alerts_) {
        alerts += alert.count();
    }
    std::ostringstream text;
    text << "system_monitor: commits " << sampler_.commits() << ", alerts " << alerts
         << ", audit lines " << audit_->lines() << ", added to " << audit_->file().path().string();
    const auto audited = audit_->file().position();
    if (head > 0 && (!audited || audited->revision < head)) {
        // close() has a time limit, and there may have been a million commits to catch up with.
        text << ", which is not at revision " << head << " yet: the next run goes on";
    }
    return text.str();
}

}  // namespace system_monitor
