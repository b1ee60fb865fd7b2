// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <optional>
#include <ostream>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace boost::system {
class error_code;
}

namespace [[gnu::visibility("default")]] keywatch {
struct HistoryId;
class Selector;
class BucketSelector;
class Selectors;
}  // namespace keywatch

// Lets BOOST_TEST print both sides of a comparison. Every test includes this header, as templates
// of Boost.Test are specialized here. Each type costs a small function template in each test that
// compares it; everything else is in printing.cpp, and runs only if a check fails.
namespace keywatch::test::printing {

/// Writes text in quotes, and bytes that are not printable as `\xNN`.
void print_text(std::ostream& out, std::string_view text);
/// Writes a duration in the largest unit that divides it: `90s`, `1500ms`.
void print_duration(std::ostream& out, std::chrono::nanoseconds duration);
/// Writes one of the enumerators that `list_of_enumerators` names, or the number itself.
void print_enumerator(std::ostream& out, const char* list, std::int64_t number);
/// Writes the message and the number.
void print_class(std::ostream& out, const boost::system::error_code& error);
void print_class(std::ostream& out, const std::exception_ptr& exception);
void print_class(std::ostream& out, const HistoryId& history);
void print_class(std::ostream& out, const Selector& selector);
void print_class(std::ostream& out, const BucketSelector& selector);
void print_class(std::ostream& out, const Selectors& selectors);

/// Returns a text with the names of the enumerators, as the compiler names template arguments.
template <class Enum, Enum... Values>
const char* list_of_enumerators()
{
    return __PRETTY_FUNCTION__;
}

template <class Enum, int... Numbers>
const char* list_of_enumerators(std::integer_sequence<int, Numbers...>)
{
    return list_of_enumerators<Enum, static_cast<Enum>(Numbers)...>();
}

/// More than any enumeration has.
inline constexpr int enumerators = 64;

/// The number of elements that are written of a collection.
inline constexpr std::ptrdiff_t elements = 100;

template <class T>
inline constexpr bool is_duration = false;
template <class Count, class Period>
inline constexpr bool is_duration<std::chrono::duration<Count, Period>> = true;

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; } &&
                     !std::is_same_v<T, boost::system::error_code>;

/// Converts to any member of an aggregate.
struct Any {
    template <class T>
    operator T() const;
};

template <class T>
void print(std::ostream& out, const T& value);

template <class First, class... Rest>
void print_members(std::ostream& out, const First& first, const Rest&... rest)
{
    print(out << "{", first);
    (..., print(out << ", ", rest));
    out << "}";
}

template <class T>
void print_aggregate(std::ostream& out, const T& value)
{
    constexpr Any any;
    if constexpr (requires { T{any, any, any, any, any, any}; }) {
        const auto& [a, b, c, d, e, f] = value;
        print_members(out, a, b, c, d, e, f);
    } else if constexpr (requires { T{any, any, any, any, any}; }) {
        const auto& [a, b, c, d, e] = value;
        print_members(out, a, b, c, d, e);
    } else if constexpr (requires { T{any, any, any, any}; }) {
        const auto& [a, b, c, d] = value;
        print_members(out, a, b, c, d);
    } else if constexpr (requires { T{any, any, any}; }) {
        const auto& [a, b, c] = value;
        print_members(out, a, b, c);
    } else {
        const auto& [a, b] = value;
        print_members(out, a, b);
    }
}

template <class Collection>
void print_elements(std::ostream& out, const Collection& collection)
{
    std::ptrdiff_t at = 0;
    for (const auto& each : collection) {
        if (at == elements) {
            const std::ptrdiff_t all = std::distance(collection.begin(), collection.end());
            out << ", and " << all - elements << " more";
            break;
        }
        print(out << (at++ == 0 ? "{" : ", "), each);
    }
    out << (at == 0 ? "{}" : "}");
}

template <class T>
void print(std::ostream& out, const T& value)
{
    if constexpr (std::is_convertible_v<const T&, std::string_view>) {
        print_text(out, value);
    } else if constexpr (std::is_same_v<T, std::nullopt_t>) {
        out << "nothing";
    } else if constexpr (is_duration<T>) {
        print_duration(out, std::chrono::duration_cast<std::chrono::nanoseconds>(value));
    } else if constexpr (requires { value.time_since_epoch(); }) {
        print(out << "epoch + ", value.time_since_epoch());
    } else if constexpr (requires { value.has_value(), *value; }) {
        value.has_value() ? print(out, *value) : print(out, std::nullopt);
    } else if constexpr (Streamable<T>) {
        out << value;
    } else if constexpr (std::is_enum_v<T>) {
        print_enumerator(out,
                         list_of_enumerators<T>(std::make_integer_sequence<int, enumerators>()),
                         static_cast<std::int64_t>(value));
    } else if constexpr (requires { value.begin() != value.end(); }) {
        print_elements(out, value);
    } else if constexpr (requires { std::tuple_size<T>::value; }) {
        std::apply([&out](const auto&... each) { print_members(out, each...); }, value);
    } else if constexpr (requires { print_class(out, value); }) {
        print_class(out, value);
    } else {
        static_assert(std::is_aggregate_v<T>, "support/printing.hpp does not know this type");
        print_aggregate(out, value);
    }
}

template <class T>
concept NeedsPrinter = !std::is_arithmetic_v<T> && !std::is_array_v<T> && !std::is_pointer_v<T> &&
                       !std::is_function_v<T> && !Streamable<T>;

template <class T>
concept Collection = requires(const T& value) { value.begin() != value.end(); } &&
                     !std::is_convertible_v<const T&, std::string_view>;

}  // namespace keywatch::test::printing

/// Lets Boost.Test treat collections like other types. By default it prints nothing of them.
template <class T>
    requires keywatch::test::printing::Collection<std::remove_cvref_t<T>>
struct boost::unit_test::is_forward_iterable<T> {
    using is_fwd_it_t = std::false_type;
    using type = mpl::false_;
    static constexpr bool value = false;
};

/// Used by BOOST_TEST for every type without an `operator<<`.
template <keywatch::test::printing::NeedsPrinter T>
struct boost::test_tools::tt_detail::print_log_value<T> {
    void operator()(std::ostream& out, const T& value) const
    {
        keywatch::test::printing::print(out, value);
    }
};
