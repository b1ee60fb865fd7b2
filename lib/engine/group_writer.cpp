// SPDX-License-Identifier: BSL-1.0
#include "group_writer.hpp"

#include <keywatch/error.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace keywatch::engine {

namespace {

std::exception_ptr storage_failed()
{
    return std::make_exception_ptr(
        boost::system::system_error(make_error_code(Error::storage_failed)));
}

}  // namespace

GroupWriter::GroupWriter(const Options& options, storage::Store& store, async::WorkerThread& thread,
                         std::shared_ptr<WriterTurn> turn,
                         std::shared_ptr<DurableCatalogue> catalogue,
                         std::shared_ptr<HistoryKeeper> keeper)
    : durability_(options.durability),
      keeps_history_(options.enable_watch),
      max_pending_bytes_(options.max_pending_bytes),
      store_(store),
      thread_(thread),
      turn_(std::move(turn)),
      catalogue_(std::move(catalogue)),
      keeper_(std::move(keeper)),
      head_(store_.head_at_open()),
      handed_over_(store_.head_at_open())
{
}

bool GroupWriter::idle() const
{
    const std::lock_guard lock(mutex_);
    return !writing_ && open_.waiters.empty();
}

void GroupWriter::join(Executed executed, async::Waiter waiter)
{
    // From the push on the waiter may be completed, and let go of this, on another thread.
    const std::shared_ptr<GroupWriter> self = shared_from_this();
    const asio::any_io_executor executor = waiter.executor();
    bool writing = false;
    {
        const std::lock_guard lock(mutex_);
        open_.batch.append(executed.batch);
        open_.bytes += executed.bytes;
        pending_bytes_ += executed.bytes;
        open_.executed.push_back(std::move(executed));
        open_.waiters.push_back(std::move(waiter));
        if (pending_bytes_ > max_pending_bytes_) {
            turn_->pause();
        }
        writing = writing_;
    }
    // Not only for the first of a group: its event loop may be held up, or gone.
    if (!writing) {
        asio::post(executor, [self] { self->start(); });
    }
}

void GroupWriter::start()
{
    {
        const std::lock_guard lock(mutex_);
        if (writing_ || open_.waiters.empty()) {
            return;
        }
        writing_ = true;
    }
    thread_.post([self = shared_from_this()] { self->write_open_group(); });
}

void GroupWriter::write_open_group()
{
    Group group;
    {
        const std::lock_guard lock(mutex_);
        if (open_.waiters.empty()) {
            writing_ = false;
            return;
        }
        group = std::exchange(open_, Group());
    }
    const bool written = write(group);
    bool resume = false;
    {
        const std::lock_guard lock(mutex_);
        const bool was_full = pending_bytes_ > max_pending_bytes_;
        pending_bytes_ -= group.bytes;
        resume = was_full && pending_bytes_ <= max_pending_bytes_;
    }
    if (written) {
        for (async::Waiter& waiter : group.waiters) {
            waiter.complete();
        }
    } else {
        fail_everything(std::move(group));
    }
    if (resume) {
        turn_->resume();
    }
    // A task for each group, so that trimming has its turn however busy the writers are.
    thread_.post([self = shared_from_this()] { self->write_open_group(); });
}

bool GroupWriter::write(Group& group)
{
    try {
        write_batch(group.batch, group.executed);
        return true;
    } catch (...) {  // also without memory: what was executed meanwhile builds on this group
        failed_.store(true, std::memory_order_release);
        return false;
    }
}

void GroupWriter::write_now(Executed executed)
{
    try {
        std::vector<Executed> alone;
        alone.push_back(std::move(executed));
        write_batch(alone.front().batch, alone);
    } catch (...) {  // also without memory: what comes later builds on this one
        give_up();
        throw;
    }
}

void GroupWriter::give_up()
{
    failed_.store(true, std::memory_order_release);
    turn_->refuse(storage_failed());
}

void GroupWriter::write_batch(storage::Batch& batch, const std::vector<Executed>& executed)
{
    std::vector<storage::CatalogueChange> changes;
    Revision last = 0;
    std::size_t commits = 0;
    for (const Executed& each : executed) {
        commits += each.revision == 0 ? 0 : 1;
        changes.insert(changes.end(), each.catalogue.begin(), each.catalogue.end());
        last = std::max(last, each.revision);
    }
    if (failed()) {
        fail(Error::storage_failed);
    }
    if (last == 0) {
        return;  // nobody changed anything
    }
    handed_over_.store(last, std::memory_order_release);
    if (!keeps_history_) {
        batch.put(storage::head_key, storage::encode_number(last));
    }
    if (!changes.empty()) {
        catalogue_->begin_change();
    }
    using Clock = std::chrono::steady_clock;
    const bool sync = durability_ == Durability::sync;
    const Clock::time_point began = sync ? Clock::now() : Clock::time_point();
    try {
        store_.write(batch, sync);
    } catch (...) {
        if (!changes.empty()) {
            catalogue_->end_change({});
        }
        throw;
    }
    if (!changes.empty()) {
        catalogue_->end_change(changes);
    }
    count(batch, commits, sync ? Clock::now() - began : Clock::duration::zero());
    publish(executed, changes, last);
}

void GroupWriter::publish(const std::vector<Executed>& executed,
                          const std::vector<storage::CatalogueChange>& changes,
                          Revision last) noexcept
{
    // Before the sink has it: who is given a commit may go on from its position at once.
    head_.store(last, std::memory_order_release);
    for (const Executed& each : executed) {
        if (each.commit) {
            keeper_->committed(each.revision, each.time, each.totals);
            if (sink_) {
                sink_->durable(each.commit);
            }
        }
    }
    for (const storage::CatalogueChange& each : changes) {
        if (!each.created) {
            keeper_->dropped(each.id);
        }
    }
}

void GroupWriter::fail_everything(Group group)
{
    turn_->refuse(storage_failed());
    for (async::Waiter& waiter : group.waiters) {
        waiter.complete(storage_failed());
    }
}

std::vector<async::Waiter> GroupWriter::abandon()
{
    const std::lock_guard lock(mutex_);
    return std::exchange(open_.waiters, {});
}

}  // namespace keywatch::engine
