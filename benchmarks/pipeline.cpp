// SPDX-License-Identifier: BSL-1.0
/// Measures the pipeline alone: it receives durable commits, and delivers them to one watcher of
/// the whole bucket with a plain callback.
/// Floor: a post and a channel operation per commit.
#include "support.hpp"

#include "delivery/watcher_impl.hpp"
#include "handles/database_state.hpp"
#include "pipeline/feed.hpp"
#include "storage/format/history_record.hpp"

#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <functional>
#include <optional>

namespace {

using namespace bench;
namespace pipeline = kw::pipeline;
namespace watch = kw::watch;

using Channel = asio::experimental::channel<void(boost::system::error_code, watch::SharedCommit)>;

/// An engine that has only a head. Commits that the hub overwrites could not be read from history,
/// so the feeder waits for the watcher in time.
class NoEngine final : public kw::engine::Engine {
public:
    asio::awaitable<kw::Revision> commit(kw::engine::TransactionFunction) override { co_return 0; }
    asio::awaitable<void> read(kw::engine::SnapshotFunction) override { co_return; }
    asio::awaitable<kw::HistorySlice> read_history(kw::Revision, kw::Revision, kw::SliceLimits,
                                                   kw::HistorySlice) override
    {
        throw std::logic_error("the benchmark has outrun the hub");
        co_return kw::HistorySlice{};
    }
    bool keeps_history() const noexcept override { return true; }
    bool records_previous() const noexcept override { return false; }
    const kw::HistoryId& history_id() const noexcept override { return id_; }
    kw::Revision durable_head() const noexcept override { return 0; }
    kw::Revision highest_readable() const noexcept override { return 0; }
    kw::Revision oldest() const noexcept override { return 1; }
    asio::awaitable<kw::Revision> backup(kw::engine::BackupPlace) override { co_return 0; }
    std::size_t max_transaction_bytes() const noexcept override { return SIZE_MAX; }
    asio::awaitable<std::shared_ptr<kw::engine::StateStream>> open_state(kw::Selectors) override
    {
        co_return nullptr;
    }
    std::optional<kw::Position> cursor(std::string_view) const override { return std::nullopt; }
    kw::Time now() const override { return {}; }
    asio::awaitable<std::vector<kw::CursorLag>> cursors() override
    {
        co_return std::vector<kw::CursorLag>();
    }
    kw::Lag lag(kw::Revision) const override { return {}; }
    kw::Stats::Engine stats() const override { return {}; }
    kw::Stats::History history_stats() const override { return {}; }
    void call_after(std::chrono::milliseconds, std::function<void()>) override {}
    asio::awaitable<void> drain() override { co_return; }
    void give_up_doubtful() override {}
    asio::awaitable<void> close() override { co_return; }
    void close_without_loop(std::function<void()>) override {}

private:
    kw::HistoryId id_;
};

std::vector<watch::SharedCommit> make_commits(std::size_t count, std::size_t messages)
{
    std::vector<watch::SharedCommit> commits;
    for (kw::Revision revision = 1; revision <= count; ++revision) {
        kw::storage::RecordWriter writer;
        const auto bucket = writer.bucket("b");
        const std::string value = random_bytes(100);
        for (std::size_t i = 0; i < messages; ++i) {
            const std::string key = random_key();
            kw::Message message;
            message.key = key;
            message.value = value;
            writer.add(bucket, message);
        }
        kw::storage::Totals totals;
        commits.push_back(
            kw::storage::decode_record(revision, writer.finish(revision - 1, {}, totals)));
    }
    return commits;
}

asio::awaitable<void> receive(Channel& channel, std::size_t count, std::size_t& seen)
{
    for (std::size_t i = 0; i < count; ++i) {
        const watch::SharedCommit commit = co_await channel.async_receive(asio::use_awaitable);
        for (const kw::Message& each : commit->messages) {
            seen += each.value.size();
        }
    }
}

void floor_run(const std::vector<watch::SharedCommit>& commits)
{
    asio::io_context context(1);
    Channel channel(context, commits.size());
    std::size_t seen = 0;
    asio::co_spawn(context, receive(channel, commits.size(), seen), kw::rethrow);
    for (const watch::SharedCommit& each : commits) {
        asio::post(context,
                   [&channel, &each] { channel.try_send(boost::system::error_code(), each); });
    }
    context.run();
    benchmark::DoNotOptimize(seen);
}

asio::awaitable<void> feed_all(std::shared_ptr<pipeline::Feed> feed,
                               const std::vector<watch::SharedCommit>& commits, kw::Watcher watcher,
                               std::size_t per_turn)
{
    co_await watcher.wait_ready(std::chrono::seconds(10));
    std::size_t in_turn = 0;
    for (const watch::SharedCommit& each : commits) {
        feed->durable(each);
        if (++in_turn == per_turn) {
            in_turn = 0;
            co_await watcher.reached(each->revision);
        }
    }
    co_await watcher.reached(commits.back()->revision);
    co_await watcher.stop();
}

void our_run(const std::vector<watch::SharedCommit>& commits, std::size_t per_turn)
{
    asio::io_context context(1);
    kw::Options options("memory:");
    options.enable_watch = true;
    auto feed =
        std::make_shared<pipeline::Feed>(watch::Budget{options.hub_messages, options.hub_bytes});
    auto stages = pipeline::Pipeline::start(context.get_executor(), std::make_shared<NoEngine>(),
                                            feed, options);
    std::size_t seen = 0;
    auto core = kw::delivery::WatcherImpl::make(
        stages, kw::in("b", kw::all()),
        kw::WatchCallback([&](const kw::Message& message) { seen += message.value.size(); }),
        kw::WatchOptions(), kw::Position());
    kw::Watcher watcher(core);
    asio::co_spawn(context, watcher.run(), kw::rethrow);
    asio::co_spawn(context, feed_all(feed, commits, watcher, per_turn), kw::rethrow);
    context.run();
    benchmark::DoNotOptimize(seen);
}

void pipeline_alone(benchmark::State& state)
{
    const auto messages = static_cast<std::size_t>(state.range(0));
    const std::size_t count = messages == 1 ? 200'000 : 20'000;
    const std::vector<watch::SharedCommit> commits = make_commits(count, messages);
    const std::size_t per_turn = 1'000 / messages;
    for (auto _ : state) {
        compare_pairs(
            state, 5, static_cast<double>(count), [&] { floor_run(commits); },
            [&] { our_run(commits, per_turn); });
    }
    const double commit_ns = state.counters["keywatch_ns"];
    state.counters["commits_per_s"] = 1e9 / commit_ns;
    state.counters["messages_per_s"] = 1e9 / commit_ns * static_cast<double>(messages);
}

BENCHMARK(pipeline_alone)->Arg(100)->Arg(1)->Iterations(1)->Repetitions(3);

}  // namespace

BENCHMARK_MAIN();
