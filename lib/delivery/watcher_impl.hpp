// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "delivery_context.hpp"
#include "errands.hpp"
#include "sink.hpp"
#include "worker.hpp"

#include "async/waiter.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/watcher_interface.hpp"

#include <keywatch/watcher.hpp>
#include <keywatch/watcher_info.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace keywatch::delivery {

namespace asio = boost::asio;

/// The implementation of a watch: the object that the handles point to. It is created, running or
/// ended, and owns the parts that deliver.
///
/// 1. A watch that runs is ended by its worker only. Everything else sends signals through the
///    inbox, which wake the worker. Exceptions are the ends of contexts: nothing runs on them then.
/// 2. It ends once: `finish` is called once, by the worker, or instead of it if the watch is
///    rejected.
/// 3. What waits for the end is completed after the last callback has returned.
class WatcherImpl : public pipeline::WatcherInterface, private WorkerHost {
public:
    /// Constructs a watch with a callback. Throws if a selector is invalid: see Subscription.
    WatcherImpl(std::shared_ptr<pipeline::Pipeline> pipeline, const Selectors& selectors,
                WatchCallback callback, const WatchOptions& options, const Position& start);
    ~WatcherImpl() override;

    /// Creates a watch with the arguments of a constructor, and adds it to the registry. A
    /// constructor cannot do that: another thread would ask the watch for a shared pointer that
    /// does not exist yet.
    template <class T = WatcherImpl, class... Arguments>
    static std::shared_ptr<T> make(Arguments&&... arguments)
    {
        auto watch = std::make_shared<T>(std::forward<Arguments>(arguments)...);
        watch->enter_registry();
        return watch;
    }

    // Functions of the handle: see Watcher. Any thread.
    static asio::awaitable<WatchEnd> run(std::shared_ptr<WatcherImpl> self);
    static asio::awaitable<void> wait_ready(std::shared_ptr<WatcherImpl> self,
                                            std::chrono::milliseconds timeout);
    static asio::awaitable<void> stop(std::shared_ptr<WatcherImpl> self);
    static asio::awaitable<void> reached(std::shared_ptr<WatcherImpl> self, Revision revision);
    void request_stop();
    static asio::awaitable<void> drain(std::shared_ptr<WatcherImpl> self);
    /// Returns the revision through which everything will be delivered.
    Revision request_drain();
    Position position() const;
    const std::string& name() const noexcept { return *name_; }
    std::shared_ptr<WatcherImpl> shared();

    // See WatcherInterface.
    std::uint64_t id() const noexcept override { return id_; }
    WatcherInfo info() const override;
    bool would_reach(std::string_view bucket, std::string_view key) const override;
    void start_worker() noexcept override { errands_.run(Errands::wake); }
    void wake() override;
    bool waits_for(Revision revision) const override;
    Revision next_wake(Revision routed) override { return context_.waiters.next_wake(routed); }
    void close_at(Revision revision) override;
    void close_now() override;
    void fail(std::exception_ptr error) override;
    void database_closed() override;
    bool consumer_is_busy() const override { return worker_.sink().is_busy(); }
    bool runs_on(const asio::any_io_executor& executor) const override;
    void added() override;
    void rejected(std::exception_ptr error) override;
    void context_shutdown() noexcept override;

protected:
    using MakeSink = std::function<std::unique_ptr<Sink>(DeliveryContext&)>;

    /// Constructs a watch with this sink.
    WatcherImpl(std::shared_ptr<pipeline::Pipeline> pipeline, const Selectors& selectors,
                const WatchOptions& options, const Position& start, const MakeSink& make_sink);

    DeliveryContext& context() noexcept { return context_; }
    Sink& sink() noexcept { return worker_.sink(); }
    /// Moves the watch from created to running. Throws `already_running` or `closed`.
    void begin();
    /// Creates the strand on this executor. For a watch that is not run by a coroutine of its own.
    void use_executor(const asio::any_io_executor& executor);
    /// Ends the watch instead of the worker. Precondition: it is running, and was not added.
    void reject(std::exception_ptr error);
    /// Returns true if the watch has been run.
    bool was_run() const;
    /// Returns true if the watch has ended. Throws the error with which it has.
    bool is_over() const;
    std::optional<EndReason> reason() const;

private:
    friend class Errands;
    void post_errand(Errands::Kind kind);
    void post_run();
    void post_cancel();

    enum class State : std::uint8_t { created, running, ended };

    void enter_registry();
    // Running (running.cpp).
    class RunFrame;
    void start(async::Waiter waiter, const asio::any_io_executor& executor);
    /// Ends the watch, which no longer has a worker: the context of run() is being destroyed.
    void run_is_destroyed() noexcept;
    /// Keeps the context of run() alive while something is posted to it. Returns nothing if the
    /// context is being destroyed.
    std::optional<async::ContextLife::Hold> hold_context() const;
    const asio::any_io_executor& strand() const noexcept override { return strand_; }
    void finish(std::optional<EndReason> reason, std::exception_ptr error) override;
    void tell_end(async::Waiter run_waiter, std::exception_ptr error) noexcept;

    // Signals (watcher_impl.cpp).
    void request_cancel();
    void cancel_worker() noexcept { errands_.run(Errands::cancel); }
    template <class Change>
    void interrupt(Change change);
    /// Changes the signals so that the watch ends at this revision.
    template <class Change>
    void end_at(Revision revision, Change change);

    // Waiting (waiting.cpp).
    void throw_unless_drained(Revision revision) const;
    void ask_to_be_woken(Revision revision);

    static constexpr Revision never = std::numeric_limits<Revision>::max();

    // Constant after construction, or thread-safe by itself.
    const std::unique_ptr<const std::string> name_;
    const std::uint64_t id_;
    /// The lowest revision at which a signal ends the watch.
    std::atomic<Revision> end_at_{never};
    Errands errands_{*this};
    DeliveryContext context_;
    Worker worker_;

    // Guarded by the inbox's mutex, which is shared because an idle watch has to be small.
    std::mutex& mutex() const noexcept { return inbox.mutex(); }
    State state_ = State::created;
    bool ran_ = false;
    asio::any_io_executor strand_;
    /// The life of the context of run(), if that is not the database's. Constant while the watch
    /// runs.
    std::shared_ptr<async::ContextLife> life_;
    async::Waiter run_waiter_;
    std::optional<EndReason> reason_;
    std::exception_ptr error_;
};

}  // namespace keywatch::delivery
