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

/// A range of byte strings, and no byte string itself.
template <class Values>
concept ManyBytes = !std::convertible_to<Values, std::string_view> && requires(Values& values) {
    { *std::begin(values) } -> std::convertible_to<std::string_view>;
    std::end(values);
};

/// @cond no part of the interface
namespace detail {

/// What a range walks over.
template <class T>
class Cursor {
public:
    virtual ~Cursor() = default;
    virtual void start() = 0;
    virtual bool valid() const = 0;
    virtual void next() = 0;
    virtual T current() const = 0;
};

/// What an element is copied into, to be kept.
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

/// Elements that are read one after the other, as they are asked for: `for (auto each : range)`.
///
/// Single pass: `begin()` starts anew. What an element points into is valid until the next step.
///
/// Within a transaction it sees the transaction's own writes to the key that it reads as they were
/// when it was made or started; do not change the key while a range of it is walked over.
///
/// Lifetime: until the transaction function has returned; after that every use throws
/// `Error::transaction_finished`. Thread safety: none. Any step may throw `Error::damaged`.
template <class T>
class Range {
public:
    /// @cond no part of the interface
    explicit Range(std::shared_ptr<detail::Cursor<T>> cursor) : cursor_(std::move(cursor)) {}
    /// @endcond

    /// An input iterator, as `for` needs it: all copies move together.
    class Iterator {
    public:
        /// @cond what iterators have
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

    /// From the first element.
    Iterator begin()
    {
        cursor_->start();
        return Iterator{cursor_.get()};
    }
    /// Behind the last one.
    static std::default_sentinel_t end() { return {}; }

    /// @cond no part of the interface
    using Kept = typename detail::Owned<T>::Type;
    /// @endcond

    /// Copies all elements, with the bytes they point to.
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
