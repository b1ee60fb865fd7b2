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
    // The audit file is on disk line by line. Were the commits not (Durability::buffered), a power
    // cut could leave it ahead of the database, with commits that never were.
    options.durability = kw::Durability::sync;
    // Days of samples, by their size and not by their age: what the audit did not get before the
    // program was killed must still be there when it is started again, be that in a year.
    options.history.bytes = std::uint64_t{256} << 20;
    options.history.age = 24h * 365 * 100;
    return options;
}

/// A signal may have closed the database before this is run for the first time.
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
    co_await db.close();  // every watcher is given all that was committed, then its run() returns
    signals_.cancel();    // as long as something waits for them, the event loop goes on
    display_->end(summary(head));
}

/// What a watcher throws (a full disk, of the audit) ends the program, as the handler `rethrow`
/// lets it out of the event loop.
void Monitor::watch(kw::Database& db)
{
    // The file is touched only now: the database is open, so no other process is at it.
    audit_.emplace(db, settings_.audit, *display_);
    const std::optional<kw::Position>& last = audit_->file().position();
    display_->note("audit:    " + audit_->file().path().string() +
                   (last ? ", goes on after revision " + std::to_string(last->revision) : ""));
    asio::co_spawn(executor_, audit_->run(), kw::rethrow);

    kw::WatchOptions table;
    table.name = "table";
    table.callback_timeout = 24h;  // a terminal that is held with Ctrl-S blocks whoever writes
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
        // close() has a time limit, and there may have been a million to catch up with.
        text << ", which is not at revision " << head << " yet: the next run goes on";
    }
    return text.str();
}

}  // namespace system_monitor
