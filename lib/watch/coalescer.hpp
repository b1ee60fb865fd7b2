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

/// What a message is about, so that a later one about the same makes it needless: a key of a BTree;
/// a member of a set or sorted set; a key of a list; the deadline of a key; a set as a whole, of
/// which members are none. Its views are those of the message.
struct Element {
    std::string_view bucket;
    std::string_view key;
    std::string_view member;
    Structure structure = Structure::btree;
    enum class Part : std::uint8_t { value, whole, deadline } part = Part::value;

    friend bool operator==(const Element&, const Element&) = default;
};

/// Nothing if no later message makes this one needless: buckets and markers.
std::optional<Element> element_of(const Message& message);

/// Leaves of the messages of consecutive commits only the newest one of each element.
///
/// 1. What is left stays where it was: in its commit, and in the order of revisions. A commit of
///    which nothing is left is let go at once, so memory depends on the number of elements only.
/// 2. A message stands for those that it replaced: `Entry::since` is the first one's revision. The
///    position stays before that until it is delivered: `Entry::hold`.
class Coalescer {
public:
    Coalescer() = default;
    Coalescer(const Coalescer&) = delete;
    Coalescer& operator=(const Coalescer&) = delete;
    ~Coalescer() = default;

    /// Of a later commit than all before; it may have been coalesced with others already.
    void add(Entry entry);

    /// What is left.
    std::size_t messages() const noexcept { return messages_; }
    std::size_t bytes() const noexcept { return bytes_; }
    /// How many made way for newer ones.
    std::size_t left_out() const noexcept { return left_out_; }
    /// Takes what is left; the coalescer is empty then.
    std::vector<Entry> take();

private:
    struct Slot {
        SharedCommit commit;
        std::vector<std::uint32_t> selected;
        /// 0 of those that are not left.
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
    Slots spare_;  ///< emptied ones, used again
    boost::unordered_flat_map<Element, Place, Hash> places_;
    std::size_t messages_ = 0;
    std::size_t bytes_ = 0;
    std::size_t left_out_ = 0;
};

/// The newest messages of these.
std::vector<Entry> coalesce(std::vector<Entry> entries);

}  // namespace keywatch::watch
