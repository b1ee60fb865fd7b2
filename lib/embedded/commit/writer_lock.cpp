// SPDX-License-Identifier: BSL-1.0
#include "writer_lock.hpp"

#include "async/post.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <iterator>
#include <utility>

namespace keywatch::embedded {

/// The function that is posted to a waiter's executor. If it is destroyed without having run, then
/// the waiter is skipped if its context has ended. Otherwise another claim is posted at the next
/// skip_blocked().
class WriterLock::Claim {
public:
    Claim(std::shared_ptr<WriterLock> lock, Id id) : lock_(std::move(lock)), id_(id) {}
    Claim(Claim&& other) noexcept = default;
    Claim& operator=(Claim&&) = delete;
    ~Claim()
    {
        if (lock_) {
            lock_->claim_lost(id_);
        }
    }

    void operator()() { std::exchange(lock_, nullptr)->claim_runs(id_); }

private:
    std::shared_ptr<WriterLock> lock_;
    Id id_;
};

WriterLock::WriterLock(std::function<Clock::time_point()> now) : now_(std::move(now)) {}

bool WriterLock::try_acquire()
{
    const std::lock_guard lock(mutex_);
    if (held_ || paused_ || refused_ || !queue_.empty() || !doubtful_.empty()) {
        return false;
    }
    held_ = true;
    return true;
}

asio::awaitable<void> WriterLock::acquire()
{
    return async::suspend([this](async::Waiter waiter) { enqueue(std::move(waiter)); });
}

void WriterLock::enqueue(async::Waiter waiter)
{
    // Once queued, the waiter may resume on another thread and release this during this function.
    const std::shared_ptr<WriterLock> keep = shared_from_this();
    std::exception_ptr refused;
    Calls calls;
    {
        const std::lock_guard lock(mutex_);
        refused = refused_;
        if (!refused) {
            const Id id = next_id_++;
            enable_cancellation(waiter, id);
            queue_.emplace_hint(queue_.end(), id, Waiting{std::move(waiter), std::nullopt});
            calls = advance();
        }
    }
    if (refused) {
        waiter.complete(refused);  // NOLINT(bugprone-use-after-move): only moved if not refused
        return;
    }
    carry_out(std::move(calls));
    if (waits_) {
        waits_();
    }
}

void WriterLock::enable_cancellation(const async::Waiter& waiter, Id id)
{
    if (auto slot = waiter.slot(); slot.is_connected()) {
        slot.assign([weak = weak_from_this(), id](asio::cancellation_type type) {
            const bool terminal =
                (type & asio::cancellation_type::terminal) != asio::cancellation_type::none;
            if (const auto self = weak.lock(); self && terminal) {
                self->cancel(id);
            }
        });
    }
}

std::size_t WriterLock::waiting() const
{
    const std::lock_guard lock(mutex_);
    return queue_.size() + doubtful_.size();
}

void WriterLock::release()
{
    Calls calls;
    {
        const std::lock_guard lock(mutex_);
        held_ = false;
        if (queue_.empty() && !idle_) {
            return;
        }
        calls = advance();
    }
    carry_out(std::move(calls));
}

void WriterLock::pause()
{
    const std::lock_guard lock(mutex_);
    paused_ = true;
}

void WriterLock::resume()
{
    Calls calls;
    {
        const std::lock_guard lock(mutex_);
        paused_ = false;
        calls = advance();
    }
    carry_out(std::move(calls));
}

bool WriterLock::skip_blocked()
{
    Calls calls;
    bool waits = false;
    {
        const std::lock_guard lock(mutex_);
        calls = advance();
        waits = !queue_.empty();
    }
    carry_out(std::move(calls));
    return waits;
}

void WriterLock::refuse(std::exception_ptr reason)
{
    Calls calls;
    {
        const std::lock_guard lock(mutex_);
        refused_ = reason;
        calls.failed = remove_all();
        calls.reason = std::move(reason);
        calls.idle = idle_call();
    }
    carry_out(std::move(calls));
}

void WriterLock::close(std::exception_ptr reason, std::function<void()> idle)
{
    {
        const std::lock_guard lock(mutex_);
        if (!refused_) {
            refused_ = std::move(reason);
        }
        idle_ = std::move(idle);
    }
    notify_if_idle();
}

void WriterLock::notify_if_idle()
{
    Calls calls;
    {
        const std::lock_guard lock(mutex_);
        calls.idle = idle_call();
    }
    carry_out(std::move(calls));
}

bool WriterLock::is_idle() const
{
    const std::lock_guard lock(mutex_);
    return !held_ && queue_.empty() && doubtful_.empty();
}

std::function<void()> WriterLock::idle_call() const
{
    return !held_ && queue_.empty() && doubtful_.empty() ? idle_ : nullptr;
}

void WriterLock::fail_doubtful(std::exception_ptr reason)
{
    {
        const std::lock_guard lock(mutex_);
        doubtful_refused_ = std::move(reason);
    }
    skip_blocked();
}

void WriterLock::cancel(Id id)
{
    async::Waiter cancelled;
    Calls calls;
    {
        const std::lock_guard lock(mutex_);
        cancelled = remove(id);
        if (!cancelled) {
            return;
        }
        calls = advance();
    }
    cancelled.complete(std::make_exception_ptr(
        boost::system::system_error(make_error_code(asio::error::operation_aborted))));
    carry_out(std::move(calls));
}

void WriterLock::claim_runs(Id id)
{
    async::Waiter holder;
    Calls calls;
    {
        const std::lock_guard lock(mutex_);
        if (auto found = doubtful_.extract(id)) {
            queue_.insert(std::move(found));
        }
        const auto at = queue_.find(id);
        if (at != queue_.end()) {
            at->second.claimed.reset();
        }
        const bool late = doubt();
        if (at != queue_.end() && at == queue_.begin() && !held_ && !paused_) {
            held_ = true;
            holder = std::move(at->second.waiter);
            queue_.erase(at);
        } else {
            calls = advance(late);
        }
    }
    if (!holder) {
        carry_out(std::move(calls));
    } else if (!holder.resume()) {
        release();
    }
}

void WriterLock::claim_lost(Id id)
{
    Calls calls;
    {
        const std::lock_guard lock(mutex_);
        if (auto found = doubtful_.extract(id)) {
            queue_.insert(std::move(found));
        }
        const auto at = queue_.find(id);
        if (at != queue_.end() && at->second.waiter.hold()) {
            at->second.claimed
                .reset();  // out of memory: it is posted again at the next skip_blocked()
        } else {
            remove(id);
            calls = advance();
        }
    }
    carry_out(std::move(calls));
    if (waits_) {
        waits_();
    }
}

/// Moves the waiters whose claims have been under way for too long to the doubtful ones. Returns
/// true if there are any. If the first waiter's claim is not late, then no other's is, except
/// claims that were not needed.
bool WriterLock::doubt()
{
    if (queue_.empty() || !queue_.begin()->second.claimed) {
        return false;
    }
    const Clock::time_point late = now_() - patience;
    const auto is_late = [&](const Queue::value_type& each) {
        return each.second.claimed && *each.second.claimed <= late;
    };
    if (!is_late(*queue_.begin())) {
        return false;
    }
    for (auto at = queue_.begin(); at != queue_.end();) {
        const auto next = std::next(at);
        if (is_late(*at)) {
            doubtful_.insert(queue_.extract(at));
        }
        at = next;
    }
    return true;
}

/// Returns what must be done after a change. `late` is true if the claims of waiters were late.
WriterLock::Calls WriterLock::advance(bool late)
{
    Calls calls;
    if (doubtful_refused_ && !doubtful_.empty()) {
        calls.reason = doubtful_refused_;
        for (auto& [id, waiting] : doubtful_) {
            calls.failed.push_back(std::move(waiting.waiter));
        }
        doubtful_.clear();
    }
    if (!held_ && !paused_) {
        auto at = queue_.begin();
        while (at != queue_.end() && !calls.first) {
            if (at->second.claimed) {
                return calls;
            }
            calls.first = claim_for(at);
        }
        // The following waiters may be on blocked executors too. If each of them has a claim, then
        // all of those become doubtful at the same time.
        while (late && at != queue_.end() && calls.others.size() < most_claims) {
            if (at->second.claimed) {
                ++at;
            } else if (auto other = claim_for(at)) {
                calls.others.push_back(std::move(*other));
            }
        }
    }
    calls.idle = idle_call();
    return calls;
}

/// Returns the claim of this waiter, and moves on to the next one. Returns nothing if its context
/// has ended.
std::optional<WriterLock::Call> WriterLock::claim_for(Queue::iterator& at)
{
    async::HeldExecutor executor = at->second.waiter.held_executor();
    if (!executor) {
        at = queue_.erase(at);
        return std::nullopt;
    }
    at->second.claimed = now_();
    const Id id = at->first;
    ++at;
    return Call{id, std::move(executor)};
}

void WriterLock::carry_out(Calls calls)
{
    const auto post = [this](const Call& each) {
        try {
            async::post(each.executor.executor(), Claim(shared_from_this(), each.id));
        } catch (...) {
            // The destructor of the claim has reported that it is lost.
        }
    };
    if (calls.first) {
        post(*calls.first);
    }
    for (const Call& each : calls.others) {
        post(each);
    }
    for (async::Waiter& each : calls.failed) {
        each.complete(calls.reason);
    }
    if (calls.idle) {
        calls.idle();
    }
}

async::Waiter WriterLock::remove(Id id)
{
    for (Queue* const each : {&queue_, &doubtful_}) {
        if (const auto at = each->find(id); at != each->end()) {
            async::Waiter waiter = std::move(at->second.waiter);
            each->erase(at);
            return waiter;
        }
    }
    return {};
}

std::vector<async::Waiter> WriterLock::remove_all()
{
    std::vector<async::Waiter> waiters;
    for (Queue* const each : {&queue_, &doubtful_}) {
        for (auto& [id, waiting] : *each) {
            waiters.push_back(std::move(waiting.waiter));
        }
        each->clear();
    }
    return waiters;
}

}  // namespace keywatch::embedded
