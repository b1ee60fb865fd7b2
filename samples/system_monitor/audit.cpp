// SPDX-License-Identifier: BSL-1.0
#include "audit.hpp"

#include "audit_line.hpp"
#include "figures.hpp"

#include <chrono>
#include <optional>
#include <utility>

namespace system_monitor {

namespace {

/// Returns true if the file's last line belongs to another database, to commits that this one has
/// lost, or to a time before the oldest commit in history. A watch cannot continue there without a
/// gap or a repetition.
bool cannot_be_continued(const boost::system::error_code& error)
{
    return error == kw::Error::foreign_position || error == kw::Error::position_ahead ||
           error == kw::Error::compacted;
}

}  // namespace

Audit::Audit(kw::Database db, const std::filesystem::path& path, Display& display)
    : db_(std::move(db)), history_(db_.head_position().history), file_(path), display_(&display)
{
    if (file_.torn_bytes() > 0) {
        display_->note("audit: the last line was torn; removed its " +
                       std::to_string(file_.torn_bytes()) + " bytes, to write that commit anew");
    }
}

asio::awaitable<void> Audit::run()
{
    for (;;) {
        try {
            co_await follow();
            co_return;
        } catch (const boost::system::system_error& error) {
            if (error.code() == kw::Error::closed) {
                co_return;  // closed before it could begin: the next run continues
            }
            if (!cannot_be_continued(error.code())) {
                throw;
            }
            start_anew(error.what());
        }
    }
}

kw::From Audit::start() const
{
    return file_.position() ? kw::From::after(*file_.position()) : kw::From::revision(1);
}

asio::awaitable<void> Audit::follow()
{
    kw::WatchOptions options;
    options.name = "audit";
    options.from = start();
    options.callback_timeout = std::chrono::minutes{1};  // a disk may be slow
    const auto on_commit_ = [this](const kw::Commit& commit) { on_commit(commit); };
    kw::Watcher watcher = db_.watch(figures_bucket, kw::all(), on_commit_, options);
    co_await watcher.run();
}

void Audit::on_commit(const kw::Commit& commit)
{
    file_.append(audit_line(history_, commit), commit.position(history_));
    ++lines_;
}

void Audit::start_anew(const std::string& reason)
{
    const std::filesystem::path old = file_.path();
    const kw::Position after{history_, db_.oldest_revision() - 1};
    file_.begin_successor();
    std::string text = "begins after revision " + std::to_string(after.revision) + ": " + reason;
    if (file_.path() != old) {
        text += "; what was written until then is in " + old.string();
    }
    file_.append(audit_note(after, text), after);
    display_->note("audit: " + file_.path().string() + ' ' + text);
}

}  // namespace system_monitor
