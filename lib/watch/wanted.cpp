// SPDX-License-Identifier: BSL-1.0
#include "wanted.hpp"

#include <utility>

namespace keywatch::watch {

namespace {

/// What takes something away is delivered whatever the predicate thinks of it.
bool brings_something(Operation operation)
{
    switch (operation) {
    case Operation::put:
    case Operation::push_front:
    case Operation::push_back:
    case Operation::insert:
    case Operation::set:
    case Operation::add:
    case Operation::rescore:
        return true;
    default:
        return false;
    }
}

const std::vector<Revision>* or_null(const std::vector<Revision>& since)
{
    return since.empty() ? nullptr : &since;
}

}  // namespace

Wanted::Wanted(const Commit& offered, const Predicate* predicate) : commit_(offered)
{
    if (predicate) {
        ask(offered, *predicate);
        commit_ = offered.with(&places_, &since_);
    }
}

void Wanted::ask(const Commit& offered, const Predicate& predicate)
{
    for (std::size_t at = 0; at < offered.size(); ++at) {
        const Message message = offered[at];
        if (!brings_something(message.operation) || predicate(message)) {
            places_.push_back(offered.place(at));
            since_.push_back(message.first_revision);
        } else {
            ++left_out_;
        }
    }
}

WantedEntries wanted_of(std::vector<Entry> entries, const Predicate& predicate)
{
    WantedEntries result;
    for (Entry& each : entries) {
        const Commit offered(*each.commit, each.selected.empty() ? nullptr : &each.selected,
                             or_null(each.since));
        try {
            const Wanted wanted(offered, &predicate);
            if (!wanted.any()) {
                continue;
            }
            if (wanted.left_out() > 0) {
                each.selected = wanted.places();
                each.since = each.since.empty() ? std::vector<Revision>() : wanted.since();
            }
        } catch (...) {
            result.error = std::current_exception();
            result.before_error = each.commit->previous;
            break;
        }
        result.entries.push_back(std::move(each));
    }
    return result;
}

}  // namespace keywatch::watch
