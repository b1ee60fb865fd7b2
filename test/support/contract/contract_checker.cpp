// SPDX-License-Identifier: BSL-1.0
#include "contract_checker.hpp"

#include "contract_expectation.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace keywatch::test::contract {

namespace {

using Places = std::set<Place>;

bool is_marker(const Message& message)
{
    return message.operation == Operation::gap || message.operation == Operation::synced ||
           message.operation == Operation::progress;
}

class Check {
public:
    Check(const std::vector<Made>& history, const Watched& watched, const Observed& observed)
        : watched_(watched), observed_(observed), start_(start())
    {
        expected_ = expectation(history, watched, start_);
        Watched unasked = watched;  // skipped messages never reach the predicate
        unasked.filter.predicate = nullptr;
        queued_ = expectation(history, unasked, start_);
        for (const Made& each : history) {
            made_.emplace(each.revision, &each);
        }
        for (const Expected& each : expected_) {
            by_place_.emplace(each.place, &each);
        }
    }

    std::vector<std::string> run()
    {
        state();
        for (const OwnedMessage& each : observed_.messages) {
            if (!each->snapshot) {
                take(*each);
            }
        }
        whole_commits();
        nothing_missing();
        positions();
        end();
        return std::move(broken_);
    }

private:
    void fail(const char* promise, const std::string& what)
    {
        broken_.push_back(std::string(promise) + ": " + what);
    }

    Revision start() const
    {
        if (watched_.snapshot) {
            for (const OwnedMessage& each : observed_.messages) {
                if (each->operation == Operation::synced) {
                    return each->revision;
                }
            }
        }
        return watched_.start;
    }

    /// W8: the snapshot, then one marker, before everything else.
    void state()
    {
        std::size_t markers = 0;
        bool state_is_over = !watched_.snapshot;
        std::vector<std::string> given;
        for (const OwnedMessage& each : observed_.messages) {
            if (each->operation == Operation::synced) {
                ++markers;
                state_is_over = true;
            } else if (each->snapshot && state_is_over) {
                fail("W8", "state after its end: " + describe(*each));
            } else if (!each->snapshot && !state_is_over) {
                fail("W8", "a change before the end of the state: " + describe(*each));
            }
            if (each->snapshot) {
                given.push_back(describe_state(*each));
            }
        }
        if (markers > (watched_.snapshot ? 1 : 0)) {
            fail("W8", std::to_string(markers) + " synced markers");
        }
        if (markers == 1) {
            std::vector<std::string> made;
            for (const auto& [revision, commit] : made_) {
                commits_.push_back(*commit);
            }
            std::vector<std::string> wanted = state_at(commits_, watched_, start_);
            std::ranges::sort(given);
            std::ranges::sort(wanted);
            if (given != wanted) {
                fail("W8", "the state is not that of revision " + std::to_string(start_));
            }
        }
    }

    void take(const Message& message)
    {
        if (is_marker(message)) {
            take_marker(message);
            return;
        }
        const Place place{message.revision, message.index};
        if (last_ && place == *last_) {
            fail("W2", "given twice: " + describe(message));
        } else if (last_ && place < *last_) {
            fail(given_.contains(place) ? "W2" : "W1", "out of order: " + describe(message));
        }
        if (message.revision <= progress_) {
            fail("W7", "it had passed " + describe(message));
        }
        const auto made = made_.find(message.revision);
        if (made == made_.end() || made->second->messages.size() <= message.index ||
            describe(*made->second->messages[message.index]) != describe(message)) {
            fail("W5", "nobody committed " + describe(message));
        } else if (!by_place_.contains(place)) {
            fail("W3", "not for this watch: " + describe(message));
        }
        last_ = last_ ? std::max(*last_, place) : place;
        given_.insert(place);
        if (message.first_revision != message.revision) {
            if (watched_.overflow != Overflow::latest) {
                fail("W3", "coalesced: " + describe(message));
            }
        }
        spans_[element_of(message)].emplace_back(message.first_revision, message.revision);
    }

    void take_marker(const Message& message)
    {
        if (message.operation == Operation::gap) {
            if (watched_.overflow != Overflow::skip || message.first_revision > message.revision ||
                (last_ && message.first_revision <= last_->revision) ||
                message.first_revision <= progress_) {
                fail("W3", "a gap that cannot be: " + describe(message));
            }
            gaps_.push_back({message.first_revision, message.revision, message.count.value_or(0)});
        }
        if (message.revision < progress_) {
            fail("W7", "it went back: " + describe(message));
        }
        if (last_ && message.revision < last_->revision) {
            fail("W7", "less than what was delivered: " + describe(message));
        }
        progress_ = std::max(progress_, message.revision);
    }

    /// W4: the messages of a commit are together, and the last one is marked.
    void whole_commits()
    {
        const OwnedMessage* before = nullptr;
        for (const OwnedMessage& each : observed_.messages) {
            if (before && !(*before)->last_in_commit && !is_marker(**before) &&
                (is_marker(*each) || each->revision != (*before)->revision)) {
                fail("W4", "the commit of " + describe(**before) + " is not finished");
            }
            if (before && (*before)->last_in_commit && !(*before)->snapshot && !is_marker(*each) &&
                !is_marker(**before) && each->revision == (*before)->revision) {
                fail("W4", "it comes after the end of its commit: " + describe(*each));
            }
            before = &each;
        }
    }

    /// Returns true if a consumer at this place has seen or passed the message.
    static bool is_behind(const Observed::Sample& where, const Message& message)
    {
        return message.revision < where.position ||
               (message.revision == where.position &&
                (where.seen == 0 || message.index < where.seen));
    }

    bool in_a_gap(Revision revision) const
    {
        return std::ranges::any_of(gaps_, [&](const Gap& each) {
            return each.first <= revision && revision <= each.last;
        });
    }

    /// W3: everything that matches, up to the end position, was delivered or is accounted for.
    void nothing_missing()
    {
        for (const Expected& each : expected_) {
            const bool given = given_.contains(each.place);
            const Revision revision = each.place.revision;
            const bool told = is_told_in_gaps(*each.message);
            if (given && in_a_gap(revision)) {
                fail("W3", "in a gap, and given: " + describe(*each.message));
            }
            const Observed::Sample end{0, observed_.end_position, observed_.end_seen};
            if (given || !is_behind(end, *each.message) || (in_a_gap(revision) && !told)) {
                continue;
            }
            if (!stands_for(each)) {
                fail("W3", "missing: " + describe(*each.message));
            }
        }
        for (const Gap& gap : gaps_) {
            const auto left_out = static_cast<std::uint64_t>(
                std::ranges::count_if(queued_, [this, &gap](const Expected& each) {
                    return gap.first <= each.place.revision && each.place.revision <= gap.last &&
                           !given_.contains(each.place);
                }));
            if (left_out != gap.count) {
                fail("W3", "a gap of " + std::to_string(left_out) + " messages counts " +
                               std::to_string(gap.count));
            }
        }
        coalesced();
    }

    /// Returns true if the message ends a bucket that the watch follows by name. Called in order.
    bool is_told_in_gaps(const Message& message)
    {
        return message.ends_bucket &&
               std::ranges::any_of(watched_.selectors.list(),
                                   [&](const BucketSelector& each) {
                                       return !each.is_whole_database() &&
                                              each.bucket() == message.bucket;
                                   }) &&
               ended_.emplace(message.bucket).second;
    }

    /// Returns true if a later message of the same element was delivered instead.
    bool stands_for(const Expected& expected) const
    {
        const auto spans = spans_.find(element_of(*expected.message));
        const Revision revision = expected.place.revision;
        return watched_.overflow == Overflow::latest && spans != spans_.end() &&
               std::ranges::any_of(spans->second, [&](const auto& span) {
                   return span.first <= revision && revision <= span.second;
               });
    }

    /// The spans of an element do not overlap, and each begins with a message of that element.
    void coalesced()
    {
        if (watched_.overflow != Overflow::latest) {
            return;
        }
        std::map<std::string, std::set<Revision>> revisions;
        for (const Expected& each : expected_) {
            revisions[element_of(*each.message)].insert(each.place.revision);
        }
        for (const auto& [element, spans] : spans_) {
            Revision before = 0;
            for (const auto& [first, last] : spans) {
                if (first > last || (first <= before && first != last) ||
                    !revisions[element].contains(first)) {
                    fail("W3", "a span of " + element + " from " + std::to_string(first) + " to " +
                                   std::to_string(last));
                }
                before = last;
            }
        }
    }

    /// W7, W2: positions only grow, and are never ahead of a message that is delivered later.
    void positions()
    {
        Revision before = 0;
        for (const Observed::Sample& each : observed_.positions) {
            if (each.position < before) {
                fail("W7", "the position went back to " + std::to_string(each.position));
            }
            before = std::max(before, each.position);
            for (std::size_t at = each.delivered; at < observed_.messages.size(); ++at) {
                const Message& message = *observed_.messages[at];
                if (!message.snapshot && !is_marker(message) && is_behind(each, message)) {
                    fail("W7", "position " + std::to_string(each.position) + " was ahead of " +
                                   describe(message));
                    break;
                }
            }
        }
        if (observed_.end_position < before) {
            fail("W7", "it ended before a position that it had");
        }
    }

    void end()
    {
        if (observed_.ends != 1) {
            fail("W11", "it ended " + std::to_string(observed_.ends) + " times");
        }
        Places beyond;
        for (const Place& each : given_) {
            if (each.revision > observed_.end_position) {
                beyond.insert(each);
            }
        }
        if (!beyond.empty() && beyond.begin()->revision != beyond.rbegin()->revision &&
            watched_.overflow != Overflow::latest) {
            fail("W2", "whole commits behind the last position");
        }
        const bool deleted = observed_.reason == EndReason::bucket_deleted;
        if (deleted != ends_with_buckets(expected_, watched_, observed_.end_position) &&
            (deleted || observed_.reason == EndReason::database_closed)) {
            fail("W11", "a wrong reason");
        }
        if (observed_.reason == EndReason::database_closed && observed_.closed_at &&
            observed_.end_position < *observed_.closed_at) {
            fail("W13", "not drained: " + std::to_string(observed_.end_position));
        }
    }

    struct Gap {
        Revision first = 0;
        Revision last = 0;
        std::uint64_t count = 0;
    };

    const Watched& watched_;
    const Observed& observed_;
    const Revision start_;
    std::vector<Expected> expected_;
    std::vector<Expected> queued_;
    std::map<Revision, const Made*> made_;
    std::map<Place, const Expected*> by_place_;
    std::vector<Made> commits_;
    std::set<std::string, std::less<>> ended_;

    std::optional<Place> last_;
    Revision progress_ = 0;
    Places given_;
    std::vector<Gap> gaps_;
    std::map<std::string, std::vector<std::pair<Revision, Revision>>> spans_;
    std::vector<std::string> broken_;
};

}  // namespace

std::vector<std::string> check(const std::vector<Made>& history, const Watched& watched,
                               const Observed& observed)
{
    return Check(history, watched, observed).run();
}

}  // namespace keywatch::test::contract
