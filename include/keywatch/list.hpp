// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/range.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace keywatch::structures {
class Workspace;
}

namespace [[gnu::visibility("default")]] keywatch {

/// @cond no part of the interface
namespace detail {

/// The elements of a range, all at once: copied unless they lie somewhere and stay there.
template <class Values>
auto gather(Values& values)
{
    using Iterator = decltype(std::begin(values));
    constexpr bool stay = std::forward_iterator<Iterator> &&
                          std::is_lvalue_reference_v<std::iter_reference_t<Iterator>>;
    std::vector<std::conditional_t<stay, std::string_view, std::string>> gathered;
    for (auto&& each : values) {
        gathered.emplace_back(static_cast<std::string_view>(each));
    }
    return gathered;
}

}  // namespace detail
/// @endcond

/// Reads a bucket of lists: each key has a row of elements, which are bytes.
///
/// A key that is empty, or whose time is over, is never there; nor is an empty list. Indexes are
/// counted from 0; negative ones from the end, -1 being the last element.
/// Lifetime: until the transaction function has returned; after that every use throws
/// `Error::transaction_finished`, and `Error::bucket_not_found` once the transaction has deleted
/// the bucket. Thread safety: none. Any member may throw `Error::damaged`.
class ListView {
public:
    /// How many elements the list of this key has; 0 if there is none. One read.
    std::uint64_t size(std::string_view key) const;

    /// Whether there is a list of this key. One read.
    bool has_key(std::string_view key) const;

    /// The element at an index; nothing if there is none. Two reads, wherever it is.
    std::optional<std::string> at(std::string_view key, std::int64_t index) const;
    /// The first element, if there is any.
    std::optional<std::string> front(std::string_view key) const { return at(key, 0); }
    /// The last element, if there is any.
    std::optional<std::string> back(std::string_view key) const { return at(key, -1); }

    /// The elements from `first` up to and including `last`, as far as there are any; without
    /// indexes all of them. None that lies outside is read, and each only when it is asked for.
    Range<std::string_view> range(std::string_view key, std::int64_t first = 0,
                                  std::int64_t last = -1) const;

    /// The keys that match a pattern, in order; see `Snapshot::buckets(pattern)` for what it may
    /// have in it. All keys of the bucket are looked at, their elements are not.
    Range<std::string_view> keys(std::string_view pattern = "*") const;

    /// The time that the key still has; nothing if it is not there or has no deadline.
    std::optional<std::chrono::milliseconds> ttl(std::string_view key) const;

protected:
    /// @cond no part of the interface
    friend class Snapshot;
    ListView(std::shared_ptr<structures::Workspace> workspace, std::uint32_t bucket)
        : workspace_(std::move(workspace)), bucket_(bucket)
    {
    }

    std::shared_ptr<structures::Workspace> workspace_;
    std::uint32_t bucket_;
    /// @endcond
};

/// Reads and writes a bucket of lists.
///
/// Each element that is added or taken away makes one message, and so does `set`; `trim` makes one
/// in all. What changes nothing makes none, and does not create the key. A list that becomes empty
/// is gone, with its deadline.
///
/// Errors: `Error::empty_key` where something would be added; `Error::transaction_too_large`, by
/// which the transaction is lost even if its function goes on; `Error::damaged`, after which it
/// should be left by an exception, as what was begun may be half done. After any other error the
/// list is as it was.
class List : public ListView {
public:
    /// Adds an element before the first one, and gives the new size. Costs the same however long
    /// the list is. One `push_front` message.
    std::uint64_t push_front(std::string_view key, std::string_view value)
    {
        return push_front_all(key, {&value, 1});
    }
    /// Adds several elements (a range of what a `std::string_view` can be made of), one after the
    /// other, so that the last one becomes the first of the list. One message for each.
    template <ManyBytes Values>
    std::uint64_t push_front(std::string_view key, Values&& values)
    {
        return push_front_all(key, views(detail::gather(values)));
    }
    /// The same, of a list in braces: after `push_front(key, {"a", "b"})`, `b` is the first.
    std::uint64_t push_front(std::string_view key, std::initializer_list<std::string_view> values)
    {
        return push_front_all(key, values);
    }

    /// Adds an element behind the last one, and gives the new size. Costs the same however long the
    /// list is. One `push_back` message.
    std::uint64_t push_back(std::string_view key, std::string_view value)
    {
        return push_back_all(key, {&value, 1});
    }
    /// Adds several elements (a range of what a `std::string_view` can be made of), in their order.
    /// One message for each.
    template <ManyBytes Values>
    std::uint64_t push_back(std::string_view key, Values&& values)
    {
        return push_back_all(key, views(detail::gather(values)));
    }
    /// The same, of a list in braces.
    std::uint64_t push_back(std::string_view key, std::initializer_list<std::string_view> values)
    {
        return push_back_all(key, values);
    }

    /// Takes the first element away, and gives it; nothing if there is none. Costs the same however
    /// long the list is. One `pop_front` message.
    std::optional<std::string> pop_front(std::string_view key);
    /// The same with the last element. One `pop_back` message.
    std::optional<std::string> pop_back(std::string_view key);

    /// Replaces the element at an index. One `set` message with both elements, or none if they are
    /// alike. `Error::index_out_of_range`.
    void set(std::string_view key, std::int64_t index, std::string_view value);

    /// Adds an element before the one at an index, and gives the new size; an index that is the
    /// size appends. All elements of the nearer end are moved by one place: in the middle of a long
    /// list this is a large write. One `insert` message. `Error::index_out_of_range`.
    std::uint64_t insert(std::string_view key, std::int64_t index, std::string_view value);

    /// Takes away elements that equal `value`: the first `count` of them, or the last ones if it is
    /// negative, or all if it is 0; and tells how many those were. The list is read up to the last
    /// one found. Of the others the longest run without a gap stays where it is, all before and
    /// behind it move up to it, each once. One `remove` message for each, with its index at that
    /// moment: in ascending order, or from the back to the front if `count` is negative.
    std::uint64_t remove(std::string_view key, std::string_view value, std::int64_t count = 0);

    /// Takes away the elements at these indexes, all counted before any is gone, and tells how many
    /// those were: an element that is named twice counts once. Moves as `remove` does. One `remove`
    /// message for each, in ascending order, with its index at that moment.
    /// `Error::index_out_of_range` if one of them is.
    std::uint64_t remove_at(std::string_view key, std::span<const std::int64_t> indexes);
    /// The same, of a list in braces.
    std::uint64_t remove_at(std::string_view key, std::initializer_list<std::int64_t> indexes)
    {
        return remove_at(key, std::span(indexes.begin(), indexes.size()));
    }

    /// Leaves only the elements from `first` up to and including `last`, as far as there are any,
    /// and tells how many those are. Costs as much as the smaller part, of what stays and what
    /// goes: to leave little of a long list is a small write, and its space comes back in the
    /// background. One `trim` message; if nothing is left, an `erase`.
    std::uint64_t trim(std::string_view key, std::int64_t first, std::int64_t last);

    /// Removes the list of this key with all it holds, and tells whether there was one: then one
    /// `erase` message with its size as `count`. However large it is, this is one small write; its
    /// space comes back in the background.
    bool erase(std::string_view key);

    /// From now on the key has this time to live, to the millisecond; tells whether it is there.
    /// One `ttl` message with the deadline, unless it is what it was. `Error::invalid_ttl`.
    bool set_ttl(std::string_view key, std::chrono::milliseconds ttl);
    /// The key lives for ever; tells whether it is there and had a deadline: then one `ttl` message
    /// without one.
    bool clear_ttl(std::string_view key);

private:
    friend class Transaction;
    using ListView::ListView;

    template <class Gathered>
    static std::vector<std::string_view> views(const Gathered& gathered)
    {
        return std::vector<std::string_view>(gathered.begin(), gathered.end());
    }
    std::uint64_t push_front_all(std::string_view key, std::span<const std::string_view> values);
    std::uint64_t push_back_all(std::string_view key, std::span<const std::string_view> values);
};

}  // namespace keywatch
