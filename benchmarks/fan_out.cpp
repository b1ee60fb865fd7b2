// SPDX-License-Identifier: BSL-1.0
/// Measures one commit to 10,000 watchers of its key: from the call of update() until every
/// callback has run.
/// Floor: as many channels with a parked coroutine each, each sent one item.
#include "support.hpp"

#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <deque>

namespace {

using namespace bench;

constexpr int receivers = 10'000;
constexpr int rounds = 20;

using Item = std::shared_ptr<const std::string>;
using Channel = asio::experimental::channel<void(boost::system::error_code, Item)>;

/// Stops the loop once all receivers of a round have received the item.
struct Round {
    asio::io_context& context;
    int left = 0;
    std::size_t seen = 0;

    void arrived()
    {
        if (--left == 0) {
            context.stop();
        }
    }
    void wait()
    {
        context.restart();
        context.run();
    }
};

class Channels {
public:
    Channels()
    {
        for (int i = 0; i < receivers; ++i) {
            channels_.emplace_back(context_, 1);
            asio::co_spawn(context_, receive(channels_.back(), round_), [](std::exception_ptr) {});
        }
        context_.poll();
    }

    void send()
    {
        const Item item = std::make_shared<const std::string>(random_bytes(100));
        round_.left = receivers;
        asio::post(context_, [&] {
            for (Channel& each : channels_) {
                each.try_send(boost::system::error_code(), item);
            }
        });
        round_.wait();
    }

private:
    static asio::awaitable<void> receive(Channel& channel, Round& round)
    {
        for (;;) {
            const Item item = co_await channel.async_receive(asio::use_awaitable);
            round.seen += item->size();
            round.arrived();
        }
    }

    asio::io_context context_{1};
    Round round_{context_};
    std::deque<Channel> channels_;
};

class Watchers {
public:
    explicit Watchers(bool coroutines)
        : db_(kw::Database::open_blocking(
              context_.get_executor(),
              watched_options(directory_.path(), kw::Durability::buffered)))
    {
        run_beside(context_, create_bucket(db_));
        for (int i = 0; i < receivers; ++i) {
            watchers_.push_back(db_.watch("b", kw::key("hot"), callback(coroutines)));
        }
        for (kw::Watcher& each : watchers_) {
            asio::co_spawn(context_, each.run(), kw::rethrow);
        }
        commit();  // once it is delivered, all watchers have joined
    }
    Watchers(const Watchers&) = delete;
    Watchers& operator=(const Watchers&) = delete;
    ~Watchers() { run_beside(context_, close(db_)); }

    void commit()
    {
        round_.left = receivers + 1;
        asio::co_spawn(context_, put(db_), [this](std::exception_ptr error) {
            kw::rethrow(std::move(error));
            round_.arrived();
        });
        round_.wait();
    }

private:
    kw::WatchCallback callback(bool coroutines)
    {
        const auto plain = [this](const kw::Message& message) {
            round_.seen += message.value.size();
            round_.arrived();
        };
        if (!coroutines) {
            return plain;
        }
        return [plain](const kw::Message& message) -> asio::awaitable<void> {
            plain(message);
            co_return;
        };
    }
    static asio::awaitable<void> put(kw::Database db)
    {
        const std::string value = random_bytes(100);
        co_await db.update([&](kw::Transaction& tx) { tx.btree("b").put("hot", value); });
    }

    const Directory directory_{"keywatch"};
    asio::io_context context_{1};
    Round round_{context_};
    kw::Database db_;
    std::vector<kw::Watcher> watchers_;
};

void fan_out(benchmark::State& state, bool coroutines)
{
    Channels channels;
    Watchers watchers(coroutines);
    const auto repeat = [](auto round) {
        for (int i = 0; i < rounds; ++i) {
            round();
        }
    };
    for (auto _ : state) {
        compare_pairs(
            state, 9, rounds, [&] { repeat([&] { channels.send(); }); },
            [&] { repeat([&] { watchers.commit(); }); });
    }
}

void fan_out_plain(benchmark::State& state)
{
    fan_out(state, false);
}

void fan_out_coroutines(benchmark::State& state)
{
    fan_out(state, true);
}

BENCHMARK(fan_out_plain)->Iterations(1)->Repetitions(3);
BENCHMARK(fan_out_coroutines)->Iterations(1)->Repetitions(3);

}  // namespace

BENCHMARK_MAIN();
