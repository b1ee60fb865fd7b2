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

/// @cond internal
namespace detail {

/// Returns all elements of a range at once. Copies them, unless the range yields references to
/// elements that stay valid.
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

/// A read-only view of a bucket of lists: each key has a sequence of elements, which are bytes.
///
/// An empty key, an expired key and an empty list never exist. Indexes start at 0. Negative indexes
/// count from the end, -1 being the last element.
///
/// Lifetime: valid until the transaction function has returned. After that, every use throws
/// `Error::transaction_finished`. Once the transaction has deleted the bucket, every use throws
/// `Error::bucket_not_found`. Thread safety: none. Any member may throw `Error::damaged`.
class ListView {
public:
    /// Returns the number of elements of the list, or 0 if there is no list. One read.
    std::uint64_t size(std::string_view key) const;

    /// Returns true if the key has a list. One read.
    bool has_key(std::string_view key) const;

    /// Returns the element at an index, or nothing if there is none. Two reads, at any index.
    std::optional<std::string> at(std::string_view key, std::int64_t index) const;
    /// Returns the first element, or nothing if there is none.
    std::optional<std::string> front(std::string_view key) const { return at(key, 0); }
    /// Returns the last element, or nothing if there is none.
    std::optional<std::string> back(std::string_view key) const { return at(key, -1); }

    /// Returns the elements from `first` up to and including `last`, as far as they exist; by
    /// default all elements. Elements outside are not read, and each element is read only when the
    /// range reaches it.
    Range<std::string_view> range(std::string_view key, std::int64_t first = 0,
                                  std::int64_t last = -1) const;

    /// Returns the keys that match a pattern, in order. For the syntax see
    /// `Snapshot::buckets(pattern)`. All keys of the bucket are read, but not their elements.
    Range<std::string_view> keys(std::string_view pattern = "*") const;

    /// Returns the remaining time to live, or nothing if the key does not exist or has no deadline.
    std::optional<std::chrono::milliseconds> ttl(std::string_view key) const;

protected:
    /// @cond internal
    friend class Snapshot;
    ListView(std::shared_ptr<structures::Workspace> workspace, std::uint32_t bucket)
        : workspace_(std::move(workspace)), bucket_(bucket)
    {
    }

    std::shared_ptr<structures::Workspace> workspace_;
    std::uint32_t bucket_;
    /// @endcond
};

/// A read-write view of a bucket of lists.
///
/// Each element that is added or removed produces one message, and so does `set`. `trim` produces
/// one message in total. A member that changes nothing produces no message and does not create the
/// key. A list that becomes empty is removed, together with its deadline.
///
/// Errors: `Error::empty_key` where something would be added; `Error::transaction_too_large`, after
/// which the transaction fails even if its function catches the error; `Error::damaged`, after
/// which the function should be left by an exception, because the operation may be incomplete.
/// After any other error the list is unchanged.
class List : public ListView {
public:
    /// Adds an element before the first one and returns the new size. The cost does not depend on
    /// the length of the list. One `push_front` message.
    std::uint64_t push_front(std::string_view key, std::string_view value)
    {
        return push_front_all(key, {&value, 1});
    }
    /// Adds several elements (a range of anything convertible to `std::string_view`), one after the
    /// other: the last one becomes the first of the list. One message for each.
    template <ManyBytes Values>
    std::uint64_t push_front(std::string_view key, Values&& values)
    {
        return push_front_all(key, views(detail::gather(values)));
    }
    /// Same as above, for a braced list: after `push_front(key, {"a", "b"})`, `b` is the first
    /// element.
    std::uint64_t push_front(std::string_view key, std::initializer_list<std::string_view> values)
    {
        return push_front_all(key, values);
    }

    /// Adds an element after the last one and returns the new size. The cost does not depend on the
    /// length of the list. One `push_back` message.
    std::uint64_t push_back(std::string_view key, std::string_view value)
    {
        return push_back_all(key, {&value, 1});
    }
    /// Adds several elements (a range of anything convertible to `std::string_view`) in their
    /// order. One message for each.
    template <ManyBytes Values>
    std::uint64_t push_back(std::string_view key, Values&& values)
    {
        return push_back_all(key, views(detail::gather(values)));
    }
    /// Same as above, for a braced list.
    std::uint64_t push_back(std::string_view key, std::initializer_list<std::string_view> values)
    {
        return push_back_all(key, values);
    }

    /// Removes and returns the first element, or returns nothing if there is none. The cost does
    /// not depend on the length of the list. One `pop_front` message.
    std::optional<std::string> pop_front(std::string_view key);
    /// Same as `pop_front`, for the last element. One `pop_back` message.
    std::optional<std::string> pop_back(std::string_view key);

    /// Replaces the element at an index. One `set` message with both elements, or none if they are
    /// equal. Errors: `Error::index_out_of_range`.
    void set(std::string_view key, std::int64_t index, std::string_view value);

    /// Adds an element before the one at an index and returns the new size. An index equal to the
    /// size appends. All elements towards the nearer end are moved by one place: in the middle of a
    /// long list this is a large write. One `insert` message. Errors: `Error::index_out_of_range`.
    std::uint64_t insert(std::string_view key, std::int64_t index, std::string_view value);

    /// Removes elements that equal `value`: the first `count` of them, or the last ones if `count`
    /// is negative, or all if it is 0. Returns how many were removed. Reads the list until enough
    /// elements are found, otherwise all of it. The longest run of remaining elements stays in
    /// place. The other remaining elements are moved towards it, each once. One `remove` message
    /// for each removed element, with its index at that moment: in ascending order, or from the
    /// back to the front if `count` is negative.
    std::uint64_t remove(std::string_view key, std::string_view value, std::int64_t count = 0);

    /// Removes the elements at these indexes, all counted before anything is removed. Returns how
    /// many were removed: an element named twice counts once. Moves elements as `remove` does. One
    /// `remove` message for each, in ascending order, with its index at that moment. Errors:
    /// `Error::index_out_of_range` if any index is out of range.
    std::uint64_t remove_at(std::string_view key, std::span<const std::int64_t> indexes);
    /// Same as above, for a braced list.
    std::uint64_t remove_at(std::string_view key, std::initializer_list<std::int64_t> indexes)
    {
        return remove_at(key, std::span(indexes.begin(), indexes.size()));
    }

    /// Keeps only the elements from `first` up to and including `last`, as far as they exist, and
    /// returns how many these are. The cost is that of the smaller part, kept or removed: keeping
    /// few elements of a long list is a small write, and the space is reclaimed in the background.
    /// One `trim` message; if nothing is kept, an `erase` message instead.
    std::uint64_t trim(std::string_view key, std::int64_t first, std::int64_t last);

    /// Removes the whole list of a key. Returns true if there was one. If so, produces one `erase`
    /// message with its size as `count`. This is one small write, however large the list is; the
    /// space is reclaimed in the background.
    bool erase(std::string_view key);

    /// Sets the time to live of the key, counted from now, to the millisecond. Returns true if the
    /// key exists. Produces one `ttl` message with the deadline, unless the deadline is unchanged.
    /// Errors: `Error::invalid_ttl`.
    bool set_ttl(std::string_view key, std::chrono::milliseconds ttl);
    /// Removes the deadline of the key. Returns true if the key exists and had a deadline. If so,
    /// produces one `ttl` message without a deadline.
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
