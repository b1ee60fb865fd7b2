// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace [[gnu::visibility("default")]] keywatch {

/// A range of byte strings that is not a byte string itself.
template <class Values>
concept ManyBytes = !std::convertible_to<Values, std::string_view> && requires(Values& values) {
    { *std::begin(values) } -> std::convertible_to<std::string_view>;
    std::end(values);
};

/// @cond internal
namespace detail {

/// The source of the elements of a range.
template <class T>
class Cursor {
public:
    virtual ~Cursor() = default;
    virtual void start() = 0;
    virtual bool valid() const = 0;
    virtual void next() = 0;
    virtual T current() const = 0;
};

/// The type into which an element is copied to be kept.
template <class T>
struct Owned {
    using Type = T;
};
template <>
struct Owned<std::string_view> {
    using Type = std::string;
};

}  // namespace detail
/// @endcond

/// Elements that are read one after the other, when they are asked for: `for (auto each : range)`.
///
/// Single pass: `begin()` restarts the range. The bytes an element points to are valid until the
/// next step.
///
/// Within a transaction, a range sees the transaction's own writes to its key as they were when the
/// range was created or started. Do not change the key while iterating over a range of it.
///
/// Lifetime: valid until the transaction function has returned. After that, every use throws
/// `Error::transaction_finished`. Thread safety: none. Any step may throw `Error::damaged`.
template <class T>
class Range {
public:
    /// @cond internal
    explicit Range(std::shared_ptr<detail::Cursor<T>> cursor) : cursor_(std::move(cursor)) {}
    /// @endcond

    /// An input iterator for range-based `for`. All copies move together.
    class Iterator {
    public:
        /// @cond internal
        using iterator_category = std::input_iterator_tag;
        using value_type = T;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = T;

        T operator*() const { return cursor_->current(); }
        Iterator& operator++()
        {
            cursor_->next();
            return *this;
        }
        void operator++(int) { cursor_->next(); }
        friend bool operator==(const Iterator& a, std::default_sentinel_t)
        {
            return !a.cursor_->valid();
        }
        /// @endcond

    private:
        friend class Range;
        explicit Iterator(detail::Cursor<T>* cursor) : cursor_(cursor) {}
        detail::Cursor<T>* cursor_;
    };

    /// Starts the range and returns an iterator to its first element.
    Iterator begin()
    {
        cursor_->start();
        return Iterator{cursor_.get()};
    }
    /// Returns the end of the range.
    static std::default_sentinel_t end() { return {}; }

    /// @cond internal
    using Kept = typename detail::Owned<T>::Type;
    /// @endcond

    /// Returns copies of all elements, with the bytes they point to.
    std::vector<Kept> to_vector()
    {
        std::vector<Kept> elements;
        for (const T& each : *this) {
            elements.emplace_back(each);
        }
        return elements;
    }

private:
    std::shared_ptr<detail::Cursor<T>> cursor_;
};

}  // namespace keywatch
