// SPDX-License-Identifier: BSL-1.0
#include "delivery/slice_reader.hpp"

#include "support/loop/event_loop.hpp"
#include "support/printing.hpp"
#include "support/watch/commits.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using keywatch::HistorySlice;
using keywatch::delivery::SliceReader;

namespace {

/// An engine with an endless history of one message a commit. It records what it was asked for.
class Historian final : public engine::Engine {
public:
    struct Asked {
        Revision after;
        Revision up_to;
        std::size_t handed_back;

        friend bool operator==(const Asked&, const Asked&) = default;
    };

    using Engine::read_history;
    asio::awaitable<HistorySlice> read_history(Revision after, Revision up_to, SliceLimits limits,
                                               HistorySlice used) override
    {
        asked.push_back({after, up_to, used.commits.size()});
        return read(this, after, up_to, limits);
    }
    static asio::awaitable<HistorySlice> read(Historian* self, Revision after, Revision up_to,
                                              SliceLimits limits)
    {
        co_await yield();
        if (after >= self->fails_after) {
            throw std::runtime_error("the disk is gone");
        }
        HistorySlice slice;
        slice.reached = std::min<Revision>(up_to, after + limits.messages);
        for (Revision revision = after + 1; revision <= slice.reached; ++revision) {
            slice.commits.push_back(make_commit(revision, {put_of("k")}));
        }
        co_return slice;
    }

    asio::awaitable<Revision> commit(engine::TransactionFunction) override { co_return 0; }
    asio::awaitable<void> read(engine::SnapshotFunction) override { co_return; }
    asio::awaitable<std::shared_ptr<engine::StateStream>> open_state(Selectors) override
    {
        co_return nullptr;
    }
    asio::awaitable<Revision> backup(engine::BackupPlace) override { co_return 0; }
    std::optional<Position> cursor(std::string_view) const override { return {}; }
    Time now() const override { return {}; }
    asio::awaitable<std::vector<CursorLag>> cursors() override
    {
        co_return std::vector<CursorLag>();
    }
    bool keeps_history() const noexcept override { return true; }
    bool records_previous() const noexcept override { return false; }
    std::size_t max_transaction_bytes() const noexcept override { return 0; }
    const HistoryId& history_id() const noexcept override { return id_; }
    Revision durable_head() const noexcept override { return 0; }
    Revision highest_readable() const noexcept override { return 0; }
    Revision oldest() const noexcept override { return 1; }
    Lag lag(Revision) const override { return {}; }
    Stats::Engine stats() const override { return {}; }
    Stats::History history_stats() const override { return {}; }
    void call_after(std::chrono::milliseconds, std::function<void()>) override {}
    asio::awaitable<void> drain() override { co_return; }
    void give_up_doubtful() override {}
    asio::awaitable<void> close() override { co_return; }
    void close_without_loop(std::function<void()>) override {}

    std::vector<Asked> asked;
    Revision fails_after = 1000;

private:
    HistoryId id_;
};

struct Reading : EventLoop {
    Historian historian;
    SliceReader reader{historian, {10, 1000, true}};

    asio::awaitable<std::vector<Revision>> next(Revision after, Revision up_to, bool ahead = true)
    {
        const HistorySlice* const slice = co_await reader.next(after, up_to, ahead);
        co_return revisions_of(slice->commits);
    }
};

std::vector<Revision> from_to(Revision first, Revision last)
{
    std::vector<Revision> revisions;
    for (; first <= last; ++first) {
        revisions.push_back(first);
    }
    return revisions;
}

using Asked = std::vector<Historian::Asked>;

}  // namespace

// `SliceReader`: slices of history that are read ahead.
BOOST_FIXTURE_TEST_SUITE(test_slice_reader, Reading)

BOOST_AUTO_TEST_CASE(the_next_slice_is_read_ahead_and_the_last_one_handed_back)
{
    run([this]() -> Task {
        const auto first = co_await next(0, 25);
        BOOST_TEST(first == from_to(1, 10));
        BOOST_TEST(historian.asked == (Asked{{0, 25, 0}, {10, 25, 0}}));
        const auto second = co_await next(10, 25);
        BOOST_TEST(second == from_to(11, 20));
        BOOST_TEST(historian.asked.back() == (Historian::Asked{20, 25, 10}));
        const auto third = co_await next(20, 25);
        BOOST_TEST(third == from_to(21, 25));
        BOOST_TEST(historian.asked.size() == 3U);  // there is nothing after the end
    });
}

BOOST_AUTO_TEST_CASE(what_was_read_ahead_may_end_before_what_is_asked_for_by_now)
{
    run([this]() -> Task {
        co_await next(0, 15);
        const auto second = co_await next(10, 100);
        BOOST_TEST(second == from_to(11, 15));
        const auto third = co_await next(15, 100);
        BOOST_TEST(third == from_to(16, 25));
    });
}

BOOST_AUTO_TEST_CASE(another_place_than_was_read_ahead_is_read_anew)
{
    run([this]() -> Task {
        co_await next(0, 100);
        const auto elsewhere = co_await next(50, 100);
        BOOST_TEST(elsewhere == from_to(51, 60));
    });
}

BOOST_AUTO_TEST_CASE(nothing_is_read_ahead_unless_it_is_asked_for)
{
    run([this]() -> Task {
        co_await next(0, 100, false);
        BOOST_TEST(historian.asked.size() == 1U);
        const auto second = co_await next(10, 100, false);
        BOOST_TEST(second == from_to(11, 20));
        BOOST_TEST(historian.asked.size() == 2U);
    });
}

BOOST_AUTO_TEST_CASE(a_failure_ahead_is_thrown_when_its_slice_is_asked_for)
{
    historian.fails_after = 10;
    run([this]() -> Task {
        const auto first = co_await next(0, 100);
        BOOST_TEST(first == from_to(1, 10));
        bool failed = false;
        try {
            co_await next(10, 100);
        } catch (const std::runtime_error&) {
            failed = true;
        }
        BOOST_TEST(failed);
    });
}

BOOST_AUTO_TEST_SUITE_END()
