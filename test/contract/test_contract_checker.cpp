// SPDX-License-Identifier: BSL-1.0
#include "support/contract/contract_streams.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test::contract;

namespace {

/// Checks that exactly this promise is reported as broken, once or several times.
void check_breaks(const Stream& stream, const std::string& promise)
{
    const std::vector<std::string> broken = stream.check();
    const bool found = std::ranges::any_of(
        broken, [&](const std::string& each) { return each.starts_with(promise + ':'); });
    std::string all;
    for (const std::string& each : broken) {
        all += '\n' + each;
    }
    BOOST_CHECK_MESSAGE(found, promise << " was to be found broken, not" << all);
}

void check_accepts(const Stream& stream)
{
    for (const std::string& each : stream.check()) {
        BOOST_ERROR(each);
    }
}

}  // namespace

// The checker that other tests rely on: it accepts correct streams, and reports each fault by the
// number of the promise that it breaks.
BOOST_AUTO_TEST_SUITE(test_contract_checker)

BOOST_AUTO_TEST_CASE(streams_that_are_right_are_accepted)
{
    check_accepts(Stream());
    check_accepts(skipping());
    check_accepts(coalescing());
    check_accepts(with_state());
    Stream with_progress;
    with_progress.insert(2, marker(Operation::progress, 3, 3));
    with_progress.observed.positions.clear();
    check_accepts(with_progress);
}

BOOST_AUTO_TEST_CASE(a_commit_that_was_half_delivered_at_the_end_is_no_fault)
{
    Stream stream;
    stream.observed.messages.resize(4, stream.observed.messages[0]);
    stream.observed.reason = EndReason::stopped;
    stream.observed.end_position = 4;
    stream.observed.positions = {{0, 1}};
    check_accepts(stream);
}

BOOST_AUTO_TEST_CASE(messages_out_of_order_are_found)
{
    Stream stream;
    std::swap(stream.observed.messages[0], stream.observed.messages[1]);
    check_breaks(stream, "W1");
    Stream later;
    std::swap(later.observed.messages[2], later.observed.messages[5]);
    check_breaks(later, "W1");
}

BOOST_AUTO_TEST_CASE(a_repeated_message_is_found)
{
    Stream stream;
    stream.insert(1, *stream.observed.messages[0]);
    check_breaks(stream, "W2");
    Stream again;
    again.observed.messages.push_back(again.observed.messages[2]);
    check_breaks(again, "W2");
}

BOOST_AUTO_TEST_CASE(whole_commits_after_the_last_position_are_found)
{
    Stream stream;
    stream.observed.reason = EndReason::stopped;
    stream.observed.end_position = 4;
    stream.observed.positions.clear();
    check_breaks(stream, "W2");
}

BOOST_AUTO_TEST_CASE(every_single_message_that_is_missing_is_found)
{
    for (std::size_t at = 0; at < Stream().observed.messages.size(); ++at) {
        Stream stream;
        stream.erase(at);
        stream.mark();
        stream.observed.positions.clear();
        check_breaks(stream, "W3");
    }
}

BOOST_AUTO_TEST_CASE(a_message_that_does_not_match_is_found)
{
    Stream stream;
    stream.insert(1, *stream.history.made()[1].messages[1]);
    check_breaks(stream, "W3");
    Stream filtered;
    filtered.watched.filter.operations = {Operation::erase};
    check_breaks(filtered, "W3");
    Stream after_start;
    after_start.watched.start = 4;
    check_breaks(after_start, "W3");
}

BOOST_AUTO_TEST_CASE(gaps_and_spans_that_do_not_add_up_are_found)
{
    Stream short_gap = skipping();
    short_gap.change_at(2, [](Message& message) { message.revision = 4; });
    check_breaks(short_gap, "W3");
    Stream miscounted = skipping();
    miscounted.change_at(2, [](Message& message) { message.count = 2; });
    check_breaks(miscounted, "W3");
    Stream overlapping = skipping();
    overlapping.change_at(2, [](Message& message) { message.first_revision = 2; });
    check_breaks(overlapping, "W3");
    Stream hidden_end = skipping();
    Message deletion = change(Operation::bucket_deleted, "b", "");
    deletion.ends_bucket = true;
    hidden_end.history.commit({deletion});
    hidden_end.insert(hidden_end.observed.messages.size(), marker(Operation::gap, 7, 7, 1));
    hidden_end.observed.reason = EndReason::bucket_deleted;
    hidden_end.observed.end_position = 7;
    check_breaks(hidden_end, "W3");
    Stream not_asked_for = skipping();
    not_asked_for.watched.overflow = Overflow::catch_up;
    check_breaks(not_asked_for, "W3");
    Stream short_span = coalescing();
    short_span.change_at(2, [](Message& message) { message.first_revision = 4; });
    check_breaks(short_span, "W3");
    Stream wrong_span = coalescing();
    wrong_span.change_at(2, [](Message& message) { message.first_revision = 1; });
    check_breaks(wrong_span, "W3");
    Stream starved = coalescing();
    starved.erase(2);
    starved.mark();
    check_breaks(starved, "W3");
    Stream never = coalescing();
    never.watched.overflow = Overflow::catch_up;
    check_breaks(never, "W3");
}

BOOST_AUTO_TEST_CASE(commits_that_are_torn_apart_are_found)
{
    Stream unmarked;
    unmarked.change_at(1, [](Message& message) { message.last_in_commit = false; });
    check_breaks(unmarked, "W4");
    Stream too_early;
    too_early.change_at(0, [](Message& message) { message.last_in_commit = true; });
    check_breaks(too_early, "W4");
    Stream torn;
    torn.insert(1, marker(Operation::progress, 1, 1));
    check_breaks(torn, "W4");
}

BOOST_AUTO_TEST_CASE(a_message_that_was_not_committed_is_found)
{
    Stream other_value;
    other_value.change_at(2, [](Message& message) { message.value = "never"; });
    check_breaks(other_value, "W5");
    Stream future;
    Message message = *future.observed.messages.back();
    message.revision = message.first_revision = 7;
    future.observed.messages.emplace_back(message);
    check_breaks(future, "W5");
}

BOOST_AUTO_TEST_CASE(positions_and_progress_that_run_ahead_or_back_are_found)
{
    Stream ahead;
    ahead.observed.positions = {{2, 4}};
    check_breaks(ahead, "W7");
    Stream back;
    back.observed.positions = {{3, 4}, {3, 3}};
    check_breaks(back, "W7");
    Stream beyond_the_end;
    beyond_the_end.observed.positions = {{6, 7}};
    check_breaks(beyond_the_end, "W7");
    Stream hasty;
    hasty.insert(2, marker(Operation::progress, 4, 4));
    check_breaks(hasty, "W7");
    Stream late;
    late.insert(3, marker(Operation::progress, 3, 3));
    check_breaks(late, "W7");
}

BOOST_AUTO_TEST_CASE(a_wrong_snapshot_is_found)
{
    Stream missing = with_state();
    missing.erase(0);
    check_breaks(missing, "W8");
    Stream stale = with_state();
    stale.change_at(0, [](Message& message) { message.value = "1"; });
    check_breaks(stale, "W8");
    Stream twice = with_state();
    twice.insert(0, *twice.observed.messages[0]);
    check_breaks(twice, "W8");
    Stream unfinished = with_state();
    unfinished.erase(2);
    check_breaks(unfinished, "W8");
    Stream two_markers = with_state();
    two_markers.insert(2, marker(Operation::synced, 4, 4));
    check_breaks(two_markers, "W8");
    Stream late = with_state();
    std::swap(late.observed.messages[1], late.observed.messages[2]);
    check_breaks(late, "W8");
    Stream overlapping = with_state();
    overlapping.insert(3, *overlapping.history.made()[3].messages[0]);
    check_breaks(overlapping, "W3");
}

BOOST_AUTO_TEST_CASE(ends_that_are_wrong_are_found)
{
    Stream never;
    never.observed.ends = 0;
    check_breaks(never, "W11");
    Stream twice;
    twice.observed.ends = 2;
    check_breaks(twice, "W11");
    Stream wrong;
    wrong.observed.reason = EndReason::bucket_deleted;
    check_breaks(wrong, "W11");
    Stream not_drained;
    not_drained.observed.closed_at = 7;
    check_breaks(not_drained, "W13");
}

// A bucket that ends and is created again.
BOOST_AUTO_TEST_CASE(messages_after_the_end_of_a_bucket_are_found)
{
    Stream stream;
    Message deletion = change(Operation::bucket_deleted, "b", "");
    deletion.ends_bucket = true;
    const Revision last = stream.history.commit(
        {deletion, change(Operation::bucket_created, "b", ""), change(Operation::put, "b", "k1")});
    stream.give(last, 0);
    stream.observed.end_position = last;
    stream.observed.closed_at = last;
    stream.mark();
    check_breaks(stream, "W11");
    stream.observed.reason = EndReason::bucket_deleted;
    check_accepts(stream);
    stream.give(last, 2);
    stream.mark();
    check_breaks(stream, "W3");
}

BOOST_AUTO_TEST_SUITE_END()
