// SPDX-License-Identifier: BSL-1.0
#include "delivery_history.hpp"

#include <algorithm>
#include <stdexcept>
#include <string_view>

namespace keywatch::test {

namespace {

SharedRecord commit_of_letter(char letter, Revision revision)
{
    switch (letter) {
    case 'm':
        return make_commit(revision, {put_of("k")});
    case 'n':
        return make_commit(revision, {put_of("kn")});
    case 'M':
        return make_commit(revision, {put_of("x"), put_of("k")});
    case 'D':
        return make_commit(revision, {deletion_of("b")});
    case 'R':
        return make_commit(revision, {deletion_of("b"), put_of("k")});
    case 'C':
        return make_commit(revision, {creation_of("b"), put_of("k")});
    case 'p':
        return make_commit(revision, {put_of("k", "c")});
    case 'E':
        return make_commit(revision, {deletion_of("c")});
    case '!':
        return make_commit(revision, {put_of("k!")});
    case 'q':
        return make_commit(revision, {put_of("kq")});
    case 'o':
        return make_commit(revision, {put_of("k", "other")});
    default:
        return make_commit(revision, {put_of("x")});
    }
}

bool is_one_of(std::string_view letters, char letter)
{
    return letters.find(letter) != std::string_view::npos;
}

}  // namespace

void require(bool holds, const char* otherwise)
{
    if (!holds) {
        throw std::logic_error(otherwise);
    }
}

bool predicate_of_model(const Message& message)
{
    if (message.key == "k!") {
        throw std::runtime_error("the predicate throws");
    }
    return message.key != "kq";
}

DeliveryHistory::DeliveryHistory(const DeliveryScenario& scenario)
    : scenario_(scenario), has_predicate_(scenario.commits.find_first_of("!q") != std::string::npos)
{
    for (const char each : scenario.commits) {
        commits_.push_back(commit_of_letter(each, commits_.size() + 1));
    }
}

Selectors DeliveryHistory::selectors() const
{
    return scenario_.two ? Selectors({in("b", prefix("k")), in("c", prefix("k"))})
                         : Selectors(in("b", prefix("k")));
}

bool DeliveryHistory::starts_within(Revision revision) const
{
    return scenario_.seen != 0 && revision == scenario_.start + 1;
}

DeliveryHistory::Expected DeliveryHistory::expected_after(Revision start) const
{
    Expected expected;
    bool first = true;
    bool second = scenario_.two;
    for (Revision each = start + 1; each <= head() && (first || second); ++each) {
        if (starts_within(each)) {
            if (is_one_of("MR", letter(each))) {
                expected.revisions.push_back(each);
            }
            continue;
        }
        const bool ends_first = first && is_one_of("DR", letter(each));
        const bool ends_second = second && letter(each) == 'E';
        if (first && letter(each) == '!') {
            expected.fails_at = each;
            return expected;
        }
        if (ends_first || ends_second || (first && is_one_of("mnMC", letter(each))) ||
            (second && letter(each) == 'p')) {
            expected.revisions.push_back(each);
        }
        first = first && !ends_first;
        second = second && !ends_second;
    }
    expected.loses_all = !first && !second;
    return expected;
}

bool DeliveryHistory::is_same_element(Revision one, Revision other) const
{
    const auto element = [this](Revision revision) {
        const char each = letter(revision);
        return is_one_of("MC", each) || (each == 'R' && starts_within(revision)) ? 'm' : each;
    };
    return element(one) == element(other) && !is_one_of("DRE", element(one));
}

DeliveryLedger::DeliveryLedger(const DeliveryScenario& scenario, const DeliveryHistory& history)
    : scenario_(scenario), history_(history)
{
    if (!scenario.from_state) {
        expected_ = history.expected_after(scenario.start);
        begun_ = true;
    }
}

std::optional<Revision> DeliveryLedger::missing() const
{
    for (const Revision each : expected_.revisions) {
        if ((delivered_ >> each & 1) == 0) {
            return each;
        }
    }
    return std::nullopt;
}

void DeliveryLedger::account_for(const watch::Entry& entry)
{
    const CommitRecord& commit = *entry.commit;
    const Message& first = commit.messages[entry.selected.empty() ? 0 : entry.selected.front()];
    if (first.snapshot) {
        require(!begun_, "the state comes late");
    } else if (first.operation == Operation::synced) {
        require(!begun_, "the state comes twice");
        expected_ = history_.expected_after(commit.revision);
        newest_ = commit.revision;
        begun_ = true;
    } else if (first.operation == Operation::progress) {
        require(begun_ && missing().value_or(commit.revision + 1) > commit.revision,
                "progress is told ahead of an undelivered commit");
    } else {
        require(begun_, "a commit comes before the state is whole");
        account_for_change(entry, first);
    }
}

void DeliveryLedger::account_for_change(const watch::Entry& entry, const Message& first)
{
    const Revision last = entry.commit->revision;
    const bool gap = first.operation == Operation::gap;
    const Revision since = entry.since.empty() ? last : entry.since.front();
    const Revision from = gap ? first.first_revision : since;
    std::uint64_t count = 0;
    for (const Revision each : expected_.revisions) {
        if (from <= each && each <= last &&
            (gap || each == last || history_.is_same_element(each, last))) {
            ++count;
            require((delivered_ >> each & 1) == 0, "a commit is delivered twice");
            delivered_ |= std::uint64_t{1} << each;
        }
    }
    require(last > newest_ && count > 0 && (!gap || count == first.count),
            "what is delivered is out of turn, for nobody or miscounted");
    require(scenario_.overflow == Overflow::latest || missing().value_or(last + 1) > last,
            "a commit was passed over");
    newest_ = last;
}

}  // namespace keywatch::test
