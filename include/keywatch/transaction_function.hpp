// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/btree.hpp>
#include <keywatch/list.hpp>
#include <keywatch/range.hpp>
#include <keywatch/set.hpp>
#include <keywatch/sorted_set.hpp>
#include <keywatch/transaction.hpp>

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

/// @file
/// Compile-time checks of the functions passed to `Database::update` and `Database::view`.

namespace [[gnu::visibility("default")]] keywatch {

/// @cond internal
namespace detail {

/// Returns false for a temporary that g++ before 13 would destroy twice in a `co_await` expression.
template <class Function>
constexpr bool safe_in_co_await()
{
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
    return std::is_lvalue_reference_v<Function> || std::is_trivially_destructible_v<Function>;
#else
    return true;
#endif
}

template <class T, class... Types>
concept OneOf = (std::is_same_v<T, Types> || ...);

/// A type that can be the result of a coroutine of any library.
template <class T>
concept CoroutineResult = requires { typename std::coroutine_traits<T>::promise_type; };

/// The iterator of a `Range`.
template <class T>
concept RangeIterator = requires { typename T::value_type; } &&
                        std::is_same_v<T, typename Range<typename T::value_type>::Iterator>;

/// True if a value of this type refers to something that is destroyed with a transaction or view,
/// or contains something that does, as far as its type shows.
template <class T>
struct Escapes
    : std::bool_constant<
          CoroutineResult<T> || RangeIterator<T> ||
          OneOf<T, Transaction, Snapshot, BTree, BTreeView, List, ListView, Set, SetView, SortedSet,
                SortedSetView, ScoredMember, BTreeIterator, BTreeRange, BTreeRange::Iterator>> {};
template <class T>
struct Escapes<const T> : Escapes<T> {};
template <class T>
struct Escapes<T&> : std::true_type {};
template <class T>
struct Escapes<T&&> : std::true_type {};
/// A pointer may point to an object of the program, but a pointer to characters is refused.
template <class T>
struct Escapes<T*> : std::bool_constant<Escapes<T>::value || OneOf<std::remove_cv_t<T>, char>> {};
template <class Char, class Traits>
struct Escapes<std::basic_string_view<Char, Traits>> : std::true_type {};
template <class T, std::size_t extent>
struct Escapes<std::span<T, extent>> : std::true_type {};
template <class T>
struct Escapes<Range<T>> : std::true_type {};
template <class T, std::size_t size>
struct Escapes<std::array<T, size>> : Escapes<T> {};
/// Containers, optionals, pairs, tuples, adapted ranges, and all other templates of types.
template <template <class...> class Template, class... Parts>
    requires(!CoroutineResult<Template<Parts...>>)
struct Escapes<Template<Parts...>> : std::disjunction<Escapes<Parts>...> {};

/// The reason why a function cannot be run.
enum class Problem : std::uint8_t { none, argument, copy, coroutine, escape };

template <class Function, class Argument>
constexpr Problem problem_of()
{
    if constexpr (!std::is_invocable_v<Function&, Argument>) {
        return Problem::argument;
    } else if constexpr (!std::is_copy_constructible_v<Function>) {
        return Problem::copy;
    } else if constexpr (CoroutineResult<std::invoke_result_t<Function&, Argument>>) {
        return Problem::coroutine;
    } else if constexpr (Escapes<std::invoke_result_t<Function&, Argument>>::value) {
        return Problem::escape;
    } else {
        return Problem::none;
    }
}

}  // namespace detail
/// @endcond

}  // namespace keywatch
