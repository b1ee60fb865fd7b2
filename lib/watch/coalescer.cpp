// SPDX-License-Identifier: BSL-1.0
#include "coalescer.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

namespace keywatch::watch {

namespace {

/// The capacity above which a slot's lists are not kept for the next commit.
constexpr std::size_t most_kept = 1024;

}  // namespace

std::optional<Element> element_of(const Message& message)
{
    Element element{message.bucket, message.key, {}, message.structure, Element::Part::value};
    switch (message.operation) {
    case Operation::bucket_created:
    case Operation::bucket_deleted:
    case Operation::gap:
    case Operation::synced:
    case Operation::progress:
        return std::nullopt;
    case Operation::ttl:
        element.part = Element::Part::deadline;
        return element;
    default:
        break;
    }
    if (message.structure == Structure::set || message.structure == Structure::sorted_set) {
        if (message.operation == Operation::erase) {
            element.part = Element::Part::whole;
        } else {
            element.member = message.value;
        }
    }
    return element;
}

std::size_t Coalescer::Hash::operator()(const Element& element) const noexcept
{
    constexpr std::size_t spread = 0x9e3779b97f4a7c15;
    const std::hash<std::string_view> hash;
    std::size_t all = hash(element.key);
    all = all * spread + hash(element.member);
    all = all * spread + hash(element.bucket);
    return all * spread + static_cast<std::size_t>(element.structure) * 4 +
           static_cast<std::size_t>(element.part);
}

void Coalescer::add(Entry entry)
{
    const Slots::iterator slot = new_slot();
    slot->commit = std::move(entry.commit);
    slot->loses = entry.loses;
    slot->common = std::move(entry.common);
    slot->selected = std::move(entry.selected);
    if (slot->selected.empty()) {
        slot->selected.resize(slot->commit->messages.size());
        std::iota(slot->selected.begin(), slot->selected.end(), 0);
    }
    slot->since.assign(slot->selected.size(), 0);
    bytes_ += bytes_of(*slot);
    for (std::size_t at = 0; at < slot->selected.size(); ++at) {
        add_message(slot, at, entry.since.empty() ? slot->commit->revision : entry.since[at]);
    }
}

std::size_t Coalescer::bytes_of(const Slot& slot)
{
    return slot.commit->pinned_bytes() + slot.selected.capacity() * sizeof(slot.selected[0]) +
           slot.since.capacity() * sizeof(slot.since[0]);
}

Coalescer::Slots::iterator Coalescer::new_slot()
{
    if (spare_.empty()) {
        return slots_.emplace(slots_.end());
    }
    slots_.splice(slots_.end(), spare_, spare_.begin());
    return std::prev(slots_.end());
}

void Coalescer::add_message(Slots::iterator slot, std::size_t at, Revision since)
{
    slot->since[at] = since;
    ++slot->left;
    ++messages_;
    const std::optional<Element> element = element_of(slot->commit->messages[slot->selected[at]]);
    if (!element) {
        return;
    }
    const auto [known, is_new] = places_.try_emplace(*element, Place{slot, at});
    if (is_new) {
        return;
    }
    // The key in the map points into the old commit, so it is replaced.
    const Place old = known->second;
    places_.erase(known);
    places_.emplace(*element, Place{slot, at});
    slot->since[at] = std::min(since, old.slot->since[old.at]);
    leave_out(old);
}

void Coalescer::leave_out(const Place& place)
{
    Slot& slot = *place.slot;
    slot.since[place.at] = 0;
    --messages_;
    ++left_out_;
    if (--slot.left == 0) {
        bytes_ -= bytes_of(slot);
        slot.commit = nullptr;
        slot.common = nullptr;
        if (slot.since.capacity() > most_kept) {
            slot.selected = std::vector<std::uint32_t>();
            slot.since = std::vector<Revision>();
        }
        slot.selected.clear();
        spare_.splice(spare_.end(), slots_, place.slot);
    }
}

std::vector<Entry> Coalescer::take()
{
    std::vector<Entry> entries;
    entries.reserve(slots_.size());
    for (Slot& slot : slots_) {
        entries.push_back(entry_of(slot));
    }
    Revision first = std::numeric_limits<Revision>::max();
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
        for (const Revision each : entry->since) {
            first = std::min(first, each);
        }
        if (first <= entry->commit->previous) {
            entry->hold = first - 1;
        }
    }
    places_.clear();
    slots_.clear();
    messages_ = 0;
    bytes_ = 0;
    left_out_ = 0;
    return entries;
}

Entry Coalescer::entry_of(Slot& slot)
{
    Entry entry{std::move(slot.commit), {}, {}, slot.loses};
    entry.common = std::move(slot.common);
    if (slot.left < slot.selected.size()) {
        std::size_t to = 0;
        for (std::size_t at = 0; at < slot.selected.size(); ++at) {
            if (slot.since[at] != 0) {
                slot.selected[to] = slot.selected[at];
                slot.since[to++] = slot.since[at];
            }
        }
        slot.selected.resize(to);
        slot.since.resize(to);
        slot.selected.shrink_to_fit();
        slot.since.shrink_to_fit();
    }
    const Revision own = entry.commit->revision;
    if (std::ranges::any_of(slot.since, [own](Revision each) { return each != own; })) {
        entry.since = std::move(slot.since);
    }
    if (slot.selected.size() < entry.commit->messages.size()) {
        entry.selected = std::move(slot.selected);
    }
    return entry;
}

std::vector<Entry> coalesce(std::vector<Entry> entries)
{
    Coalescer coalescer;
    for (Entry& each : entries) {
        coalescer.add(std::move(each));
    }
    return coalescer.take();
}

}  // namespace keywatch::watch
