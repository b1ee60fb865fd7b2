// SPDX-License-Identifier: BSL-1.0
#include "failure.hpp"
#include "history_reader.hpp"
#include "store_impl.hpp"

#include "values/failure.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace keywatch::storage {

namespace {

std::uint64_t kept_bytes(const HistoryState& state)
{
    return state.newest_totals.bytes - state.before_oldest.bytes;
}

bool keeps_too_much(const HistoryState& state, const HistoryLimits& keep, Time now)
{
    return (keep.age < no_age_limit && now - state.oldest_time > keep.age) ||
           kept_bytes(state) > keep.bytes || state.newest - state.oldest + 1 > keep.commits;
}

/// Returns true if the oldest record exceeds a limit and has been released by this call.
bool try_release_oldest(HistoryPins& pins, const HistoryState& state, const HistoryLimits& keep,
                        Time now)
{
    if (state.oldest >= state.newest) {
        return false;
    }
    const bool regardless = kept_bytes(state) > keep.hard_bytes;
    return (regardless || keeps_too_much(state, keep, now)) &&
           pins.try_release(state.oldest, regardless);
}

/// Collects removals, from the oldest record to newer ones.
class Trimming {
public:
    Trimming(HistoryReader& reader, const HistoryState& state, std::size_t most)
        : reader_(reader), most_(most), state_(state)
    {
    }

    /// Returns the next step, or nullopt if there is nothing to remove. `should_go(state)` returns
    /// true if the oldest record that is kept must be removed. Records before that one are always
    /// removed.
    template <class ShouldGo>
    std::optional<TrimStep> step(ShouldGo should_go)
    {
        TrimStep step;
        while (step.records < most_ && reader_.valid() && reader_.revision() < state_.oldest) {
            remove(step);
        }
        const bool more = reader_.valid() && reader_.revision() < state_.oldest;
        while (!more && step.records < most_ && should_go(state_)) {
            remove_oldest(step);
        }
        if (step.records == 0) {
            return std::nullopt;
        }
        step.batch.put(oldest_key, encode_number(more ? reader_.revision() : state_.oldest));
        step.after = state_;
        return step;
    }

    /// Returns a revision that no remaining record precedes.
    Revision first_left() const noexcept
    {
        return reader_.valid() ? std::min(reader_.revision(), state_.oldest) : state_.oldest;
    }

private:
    void remove(TrimStep& step)
    {
        for (std::uint16_t part = 0; part < reader_.header().parts; ++part) {
            step.batch.erase(history_key(reader_.revision(), part));
        }
        ++step.records;
        reader_.skip();
    }

    void remove_oldest(TrimStep& step)
    {
        if (!reader_.valid() || reader_.revision() != state_.oldest) {
            fail(Error::damaged, "history has a hole at revision " + std::to_string(state_.oldest));
        }
        state_.before_oldest = reader_.header().totals;
        remove(step);
        if (!reader_.valid()) {
            fail(Error::damaged, "history ends before revision " + std::to_string(state_.newest));
        }
        state_.oldest = reader_.revision();
        state_.oldest_time = reader_.header().time;
    }

    HistoryReader& reader_;
    const std::size_t most_;
    HistoryState state_;
};

}  // namespace

std::vector<TrimStep> Store::plan_trim(const HistoryState& state, const HistoryLimits& keep,
                                       Time now, TrimAmount most)
{
    std::vector<TrimStep> steps;
    const auto should_go = [&](const HistoryState& at) {
        return try_release_oldest(*impl_->pins, at, keep, now);
    };
    if (impl_->trim_from >= state.oldest && !should_go(state)) {
        return steps;
    }
    HistoryReader reader(iterate(nullptr, false));
    // Seeking the front of the area would step over everything that was trimmed before.
    reader.seek(impl_->trim_from);
    Trimming trimming(reader, state, most.records);
    while (steps.size() < most.steps) {
        auto step = trimming.step(should_go);
        if (!step) {
            break;
        }
        steps.push_back(std::move(*step));
    }
    impl_->trim_from = trimming.first_left();
    return steps;
}

std::size_t Store::trim(HistoryState& state, const HistoryLimits& keep, Time now, std::size_t most)
{
    std::vector<TrimStep> steps = plan_trim(state, keep, now, {1, most});
    if (steps.empty()) {
        return 0;
    }
    write(steps.front().batch, false);
    state = steps.front().after;
    return steps.front().records;
}

}  // namespace keywatch::storage
