// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "entry.hpp"

#include <keywatch/message.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string_view>
#include <vector>

namespace keywatch::watch {

/// Identifies what a message is about; a later message of the same element makes it obsolete. An
/// element is a key of a BTree, a member of a set or sorted set, a key of a list, the deadline of a
/// key, or a set as a whole (its members are not part of that). The views are those of the message.
struct Element {
    std::string_view bucket;
    std::string_view key;
    std::string_view member;
    Structure structure = Structure::btree;
    enum class Part : std::uint8_t { value, whole, deadline } part = Part::value;

    friend bool operator==(const Element&, const Element&) = default;
};

/// Returns the element of a message, or nothing if no later message makes it obsolete (buckets and
/// markers).
std::optional<Element> element_of(const Message& message);

/// Keeps only the newest message of each element, from the messages of consecutive commits.
///
/// 1. A message that is kept stays in its commit and in the order of revisions. A commit without
///    kept messages is released at once, so memory depends only on the number of elements.
/// 2. A message stands for those that it replaced: `Entry::since` is the revision of the first one.
///    Until it is delivered, the position stays before that revision: `Entry::hold`.
class Coalescer {
public:
    Coalescer() = default;
    Coalescer(const Coalescer&) = delete;
    Coalescer& operator=(const Coalescer&) = delete;
    ~Coalescer() = default;

    /// Adds a commit that is newer than all before. It may already be coalesced with other commits.
    void add(Entry entry);

    /// Number of messages that are kept, and their memory in bytes.
    std::size_t messages() const noexcept { return messages_; }
    std::size_t bytes() const noexcept { return bytes_; }
    /// Number of messages that were replaced by newer ones.
    std::size_t left_out() const noexcept { return left_out_; }
    /// Returns the kept messages and empties the coalescer.
    std::vector<Entry> take();

private:
    struct Slot {
        SharedCommit commit;
        std::vector<std::uint32_t> selected;
        /// 0 for messages that were replaced.
        std::vector<Revision> since;
        std::size_t left = 0;
        bool loses = false;
        std::shared_ptr<const CommonBytes> common;
    };
    using Slots = std::list<Slot>;
    struct Place {
        Slots::iterator slot;
        std::size_t at = 0;
    };
    struct Hash {
        std::size_t operator()(const Element& element) const noexcept;
    };

    static std::size_t bytes_of(const Slot& slot);
    Slots::iterator new_slot();
    void add_message(Slots::iterator slot, std::size_t at, Revision since);
    void leave_out(const Place& place);
    static Entry entry_of(Slot& slot);

    Slots slots_;
    Slots spare_;  ///< emptied slots, for reuse
    boost::unordered_flat_map<Element, Place, Hash> places_;
    std::size_t messages_ = 0;
    std::size_t bytes_ = 0;
    std::size_t left_out_ = 0;
};

/// Returns the entries with only the newest message of each element.
std::vector<Entry> coalesce(std::vector<Entry> entries);

}  // namespace keywatch::watch
