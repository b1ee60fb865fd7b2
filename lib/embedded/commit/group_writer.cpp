// SPDX-License-Identifier: BSL-1.0
#include "group_writer.hpp"

#include "async/post.hpp"

#include <keywatch/error.hpp>

#include <algorithm>
#include <chrono>
#include <new>
#include <string>
#include <utility>

namespace keywatch::embedded {

namespace {

/// Returns the error for all other transactions when a write has failed with `failure`. Errors of
/// the store apply to them as well. For any other error, the reason is kept.
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

void complete(std::list<GroupWriter::Member>& group, const std::exception_ptr& error) noexcept
{
    std::vector<async::Waiter> waiters;
    try {
        waiters.reserve(group.size());
    } catch (const std::bad_alloc&) {
        for (GroupWriter::Member& each : group) {
            each.waiter.complete(error);
        }
        return;
    }
    for (GroupWriter::Member& each : group) {
        waiters.push_back(std::move(each.waiter));
    }
    async::complete_all(std::move(waiters), error);
}

}  // namespace

GroupWriter::GroupWriter(const Options& options, storage::Store& store, async::WorkerThread& thread,
                         std::shared_ptr<WriterLock> writer_lock,
                         std::shared_ptr<DurableCatalogue> catalogue,
                         std::shared_ptr<HistoryTrimmer> trimmer,
                         std::shared_ptr<PrefixEraser> eraser)
    : durability_(options.durability),
      keeps_history_(options.enable_watch),
      max_pending_bytes_(options.max_pending_bytes),
      store_(store),
      store_failed_(store.failed_flag()),
      thread_(thread),
      writer_lock_(std::move(writer_lock)),
      catalogue_(std::move(catalogue)),
      trimmer_(std::move(trimmer)),
      eraser_(std::move(eraser)),
      head_(store_.head_at_open()),
      submitted_(store_.head_at_open()),
      stored_time_(store_.latest_time_at_open())
{
}

bool GroupWriter::idle() const
{
    const std::lock_guard lock(mutex_);
    return !writing_ && open_.empty();
}

void GroupWriter::join(Members one) noexcept
{
    // After the splice, another thread may complete the waiter, and thereby destroy this.
    const std::shared_ptr<GroupWriter> self = shared_from_this();
    const asio::any_io_executor executor = one.front().waiter.executor();
    const std::size_t bytes = one.front().pending.bytes;
    bool writing = false;
    {
        const std::lock_guard lock(mutex_);
        open_.splice(open_.end(), one);
        pending_bytes_ += bytes;
        if (pending_bytes_ > max_pending_bytes_) {
            writer_lock_->pause();
        }
        writing = writing_;
    }
    // Every member does this, not only the first of a group, whose event loop may be blocked or
    // destroyed.
    if (!writing) {
        try {
            async::post(executor, [self] { self->start(); });
        } catch (const std::bad_alloc&) {
            // The lookout starts the group.
        }
        if (waits_) {
            waits_();
        }
    }
}

bool GroupWriter::start_overdue()
{
    bool overdue = false;
    {
        const std::lock_guard lock(mutex_);
        const bool waits = !writing_ && !open_.empty();
        overdue = waits && waiting_group_ == group_;
        waiting_group_ = waits ? group_ : 0;
        if (!waits) {
            return false;
        }
    }
    if (overdue) {
        start();
    }
    return true;
}

void GroupWriter::start() noexcept
{
    {
        const std::lock_guard lock(mutex_);
        if (writing_ || open_.empty()) {
            return;
        }
        writing_ = true;
    }
    if (!post_group()) {
        {
            const std::lock_guard lock(mutex_);
            writing_ = false;
        }
        if (waits_) {
            waits_();
        }
    }
}

bool GroupWriter::post_group() noexcept
{
    try {
        thread_.post([self = shared_from_this()] { self->write_open_group(); });
        return true;
    } catch (const std::bad_alloc&) {
        return false;
    }
}

void GroupWriter::write_open_group()
{
    while (write_next_group()) {
        // Each group has a task of its own, so that trimming has its turn however busy the writers
        // are.
        if (post_group()) {
            return;
        }
    }
}

bool GroupWriter::write_next_group()
{
    Members group;
    {
        const std::lock_guard lock(mutex_);
        group.swap(open_);
        ++group_;
    }
    std::size_t bytes = 0;
    for (const Member& each : group) {
        bytes += each.pending.bytes;
    }
    const bool written = write(group);
    bool resume = false;
    bool more = false;
    {
        const std::lock_guard lock(mutex_);
        const bool was_full = pending_bytes_ > max_pending_bytes_;
        pending_bytes_ -= bytes;
        resume = was_full && pending_bytes_ <= max_pending_bytes_;
        more = !open_.empty();
        // Cleared before the waiters are completed, so that writers that commit again at once share
        // one group.
        writing_ = more;
    }
    if (written) {
        complete(group, nullptr);
    } else {
        writer_lock_->refuse(failure());
        complete(group, failure());
    }
    if (resume) {
        writer_lock_->resume();
    }
    if (!more) {
        writer_lock_->notify_if_idle();
    }
    return more;
}

bool GroupWriter::write(Members& group)
{
    try {
        std::vector<PendingCommit> pending;
        pending.reserve(group.size());
        storage::Batch& batch = group.front().batch;
        for (Member& each : group) {
            pending.push_back(std::move(each.pending));
            if (&each != &group.front()) {
                batch.append(each.batch);
            }
        }
        write_batch(batch, pending, prepare(batch, pending));
        return true;
    } catch (...) {  // even if out of memory: what was executed meanwhile builds on this group
        set_failure(std::current_exception());
        return false;
    }
}

GroupWriter::Prepared GroupWriter::prepare_now(const PendingCommit& pending, storage::Batch& batch)
{
    return prepare(batch, {&pending, 1});
}

void GroupWriter::write_now(const PendingCommit& pending, storage::Batch& batch,
                            const Prepared& prepared)
{
    try {
        write_batch(batch, {&pending, 1}, prepared);
    } catch (...) {  // even if out of memory: later transactions build on this one
        latch_failure();
        throw;
    }
}

void GroupWriter::latch_failure()
{
    set_failure(std::current_exception());
    writer_lock_->refuse(failure());
}

void GroupWriter::set_failure(const std::exception_ptr& failure)
{
    const std::lock_guard lock(mutex_);
    if (!failure_) {
        failure_ = refusal(failure);
    }
    failed_.store(true, std::memory_order_relaxed);
}

/// Returns the first failure. Trimming may be what has failed.
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

/// Does everything that may fail before something is written.
GroupWriter::Prepared GroupWriter::prepare(storage::Batch& batch,
                                           std::span<const PendingCommit> pending)
{
    Prepared prepared;
    for (const PendingCommit& each : pending) {
        prepared.changes.insert(prepared.changes.end(), each.catalogue.begin(),
                                each.catalogue.end());
        prepared.last = std::max(prepared.last, each.revision);
    }
    check();
    if (prepared.last == 0) {
        return prepared;  // nothing was changed
    }
    prepared.time = time_to_store(pending);
    if (!keeps_history_) {
        batch.put(storage::head_key, storage::encode_number(prepared.last));
        if (prepared.time) {
            batch.put(storage::time_key, storage::encode_time(*prepared.time));
        }
    }
    prepared.trims = keeps_history_ && trimmer_->add_removals(batch, pending.size());
    return prepared;
}

void GroupWriter::write_batch(storage::Batch& batch, std::span<const PendingCommit> pending,
                              const Prepared& prepared)
{
    if (prepared.last == 0) {
        return;
    }
    submitted_.store(prepared.last, std::memory_order_relaxed);
    const bool changes = !prepared.changes.empty();
    if (changes) {
        catalogue_->begin_change();
    }
    using Clock = std::chrono::steady_clock;
    const bool sync = durability_ == Durability::sync;
    const Clock::time_point began = sync ? Clock::now() : Clock::time_point();
    try {
        store_.write(batch, sync);
    } catch (...) {
        if (changes) {
            catalogue_->end_change({});
        }
        throw;
    }
    if (changes) {
        catalogue_->end_change(prepared.changes);
    }
    if (prepared.trims) {
        trimmer_->trimmed();
    }
    if (prepared.time) {
        stored_time_.store(*prepared.time, std::memory_order_relaxed);
    }
    const auto flush_time = sync ? std::optional(Clock::now() - began) : std::nullopt;
    counters_.count(pending, batch.bytes(), flush_time);
    publish(pending, prepared.last);
}

/// Returns the time of the newest commit that has a history record, or by whose time a key can have
/// expired. Returns nothing if there is no such commit.
std::optional<Time> GroupWriter::time_to_store(std::span<const PendingCommit> pending) const
{
    std::optional<Time> time;
    for (const PendingCommit& each : pending) {
        if (each.revision != 0 && (keeps_history_ || each.may_expire)) {
            time = each.time;
        }
    }
    return time;
}

void GroupWriter::publish(std::span<const PendingCommit> pending, Revision last) noexcept
{
    // The head is stored before the sink receives the commits: the receiver of a commit may
    // continue from its position at once. Pairs with the load in durable_head(), in one order with
    // the operations of the sink, as CommitSink promises.
    head_.store(last, std::memory_order_seq_cst);
    for (const PendingCommit& each : pending) {
        // Unpins before the trimmer checks whether something can be trimmed.
        for (const Revision revision : each.unpins) {
            store_.pins().unpin(revision);
        }
        if (!keeps_history_ || each.revision == 0) {
            continue;
        }
        trimmer_->committed(each.revision, each.time, each.totals);
        if (sink_ && each.record) {
            sink_->durable(each.record);
        } else if (sink_) {
            sink_->durable_unseen(each.revision);
        }
    }
    for (const PendingCommit& each : pending) {
        for (const std::string& prefix : each.orphans) {
            eraser_->add(prefix);
        }
        if (each.earliest_deadline && sweeper_) {
            sweeper_->on_deadline(*each.earliest_deadline);
        }
    }
}

void GroupWriter::fail_waiting(const std::exception_ptr& reason) noexcept
{
    Members group;
    {
        const std::lock_guard lock(mutex_);
        group.swap(open_);
    }
    complete(group, reason);
}

}  // namespace keywatch::embedded
