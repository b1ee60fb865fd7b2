// SPDX-License-Identifier: BSL-1.0
#include "group_writer.hpp"

#include "async/post.hpp"

#include <keywatch/error.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace keywatch::engine {

namespace {

/// What all others fail with when a write has failed with this: the store's errors are for them as
/// well, and of any other the reason is kept.
std::exception_ptr refusal(const std::exception_ptr& failure)
{
    std::string reason;
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
        if (error.code() == Error::storage_failed || error.code() == Error::damaged) {
            return failure;
        }
        reason = error.what();
    } catch (const std::exception& error) {
        reason = error.what();
    }
    return std::make_exception_ptr(
        boost::system::system_error(make_error_code(Error::storage_failed), reason));
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
      handed_over_(store_.head_at_open()),
      stored_time_(store_.latest_time_at_open())
{
}

bool GroupWriter::idle() const
{
    const std::lock_guard lock(mutex_);
    return !writing_ && open_.waiters.empty();
}

void GroupWriter::join(Executed executed, const storage::Batch& batch, async::Waiter waiter)
{
    // From the push on the waiter may be completed, and let go of this, on another thread.
    const std::shared_ptr<GroupWriter> self = shared_from_this();
    const asio::any_io_executor executor = waiter.executor();
    bool writing = false;
    {
        const std::lock_guard lock(mutex_);
        open_.batch.append(batch);
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
        async::post(executor, [self] { self->start(); });
        if (waits_) {
            waits_();
        }
    }
}

bool GroupWriter::look()
{
    bool overdue = false;
    {
        const std::lock_guard lock(mutex_);
        const bool waits = !writing_ && !open_.waiters.empty();
        overdue = waits && looked_ == group_;
        looked_ = waits ? group_ : 0;
        if (!waits) {
            return false;
        }
    }
    if (overdue) {
        start();
    }
    return true;
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
        group = std::exchange(open_, Group());
        ++group_;
    }
    const bool written = write(group);
    bool resume = false;
    bool more = false;
    {
        const std::lock_guard lock(mutex_);
        const bool was_full = pending_bytes_ > max_pending_bytes_;
        pending_bytes_ -= group.bytes;
        resume = was_full && pending_bytes_ <= max_pending_bytes_;
        more = !open_.waiters.empty();
        // Before anybody is told: those who come back at once shall form a full group.
        writing_ = more;
    }
    if (written) {
        async::complete_all(std::move(group.waiters));
    } else {
        fail_everything(std::move(group));
    }
    if (resume) {
        turn_->resume();
    }
    if (!more) {
        turn_->tell_if_idle();
    } else {
        // A task for each group, so that trimming has its turn however busy the writers are.
        thread_.post([self = shared_from_this()] { self->write_open_group(); });
    }
}

bool GroupWriter::write(Group& group)
{
    try {
        write_batch(group.batch, group.executed);
        return true;
    } catch (...) {  // also without memory: what was executed meanwhile builds on this group
        note_failure(std::current_exception());
        return false;
    }
}

void GroupWriter::write_now(const Executed& executed, storage::Batch& batch)
{
    try {
        write_batch(batch, {&executed, 1});
    } catch (...) {  // also without memory: what comes later builds on this one
        give_up();
        throw;
    }
}

void GroupWriter::give_up()
{
    note_failure(std::current_exception());
    turn_->refuse(failure());
}

void GroupWriter::note_failure(const std::exception_ptr& failure)
{
    const std::lock_guard lock(mutex_);
    if (!failure_) {
        failure_ = refusal(failure);
    }
    failed_.store(true, std::memory_order_release);
}

/// Trimming may be what has failed.
std::exception_ptr GroupWriter::failure() const
{
    const std::lock_guard lock(mutex_);
    return failure_ ? failure_ : store_.failure();
}

void GroupWriter::check() const
{
    if (failed()) {
        std::rethrow_exception(failure());
    }
}

void GroupWriter::write_batch(storage::Batch& batch, std::span<const Executed> executed)
{
    std::vector<storage::CatalogueChange> changes;
    Revision last = 0;
    for (const Executed& each : executed) {
        changes.insert(changes.end(), each.catalogue.begin(), each.catalogue.end());
        last = std::max(last, each.revision);
    }
    check();
    if (last == 0) {
        return;  // nobody changed anything
    }
    handed_over_.store(last, std::memory_order_release);
    const std::optional<Time> time = time_to_store(executed);
    if (!keeps_history_) {
        batch.put(storage::head_key, storage::encode_number(last));
        if (time) {
            batch.put(storage::time_key, storage::encode_time(*time));
        }
    }
    const bool trims = keeps_history_ && keeper_->add_removals(batch, executed.size());
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
    if (trims) {
        keeper_->trimmed();
    }
    if (time) {
        stored_time_.store(*time);
    }
    count(batch, executed, sync ? Clock::now() - began : Clock::duration::zero());
    publish(executed, last);
}

/// The time of the newest commit, unless neither its history record tells it nor anything can have
/// expired by it.
std::optional<Time> GroupWriter::time_to_store(std::span<const Executed> executed) const
{
    std::optional<Time> time;
    for (const Executed& each : executed) {
        if (each.revision != 0 && (keeps_history_ || each.may_expire)) {
            time = each.time;
        }
    }
    return time;
}

void GroupWriter::publish(std::span<const Executed> executed, Revision last) noexcept
{
    // Before the sink has it: who is given a commit may go on from its position at once. In one
    // order with what the sink does, as CommitSink promises.
    head_.store(last, std::memory_order_seq_cst);
    for (const Executed& each : executed) {
        // Before the keeper looks whether something can go.
        for (const Revision revision : each.unpins) {
            store_.pins().unpin(revision);
        }
        if (!keeps_history_ || each.revision == 0) {
            continue;
        }
        keeper_->committed(each.revision, each.time, each.totals);
        if (sink_ && each.commit) {
            sink_->durable(each.commit);
        } else if (sink_) {
            sink_->durable_unseen(each.revision);
        }
    }
    for (const Executed& each : executed) {
        for (const std::string& prefix : each.orphans) {
            keeper_->dropped(prefix);
        }
        if (each.earliest_deadline && sweeper_) {
            sweeper_->note(*each.earliest_deadline);
        }
    }
}

void GroupWriter::fail_everything(Group group)
{
    turn_->refuse(failure());
    async::complete_all(std::move(group.waiters), failure());
}

std::vector<async::Waiter> GroupWriter::abandon()
{
    const std::lock_guard lock(mutex_);
    return std::exchange(open_.waiters, {});
}

}  // namespace keywatch::engine
