// SPDX-License-Identifier: BSL-1.0
#include "wanted.hpp"

#include <algorithm>
#include <utility>

namespace keywatch::watch {

namespace {

/// Returns true if the predicate applies. Removals are always delivered.
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

Wanted::Wanted(const Commit& offered, const Predicate* predicate, std::size_t first)
    : offered_(offered), predicate_(predicate), is_all_(!predicate), commit_(offered)
{
    ask(first);
}

Wanted::Wanted(Wanted&& other) noexcept
    : offered_(other.offered_),
      predicate_(other.predicate_),
      asked_(other.asked_),
      is_all_(other.is_all_),
      commit_(other.commit_),
      places_(std::move(other.places_)),
      since_(std::move(other.since_)),
      left_out_(other.left_out_)
{
    if (!is_all_) {
        commit_ = offered_.with(&places_, &since_);
    }
}

bool Wanted::ask(std::size_t messages)
{
    if (!predicate_) {
        return true;
    }
    const std::size_t end = asked_ + std::min(offered_.size() - asked_, messages);
    for (; asked_ < end; ++asked_) {
        const Message message = offered_[asked_];
        if (!brings_something(message.operation) || (*predicate_)(message)) {
            places_.push_back(offered_.place(asked_));
            since_.push_back(message.first_revision);
        } else {
            ++left_out_;
        }
    }
    if (asked_ < offered_.size()) {
        return false;
    }
    predicate_ = nullptr;
    commit_ = offered_.with(&places_, &since_);
    return true;
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
