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
/// What `Database::update` and `Database::view` check of a function when they are compiled.

namespace [[gnu::visibility("default")]] keywatch {

/// @cond no part of the interface
namespace detail {

/// g++ before 13 destroys a temporary closure twice if it stands in a `co_await` expression.
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

/// A type that can be the result of a coroutine, of whichever library.
template <class T>
concept CoroutineResult = requires { typename std::coroutine_traits<T>::promise_type; };

/// The iterator of one of our ranges, which are templates.
template <class T>
concept RangeIterator = requires { typename T::value_type; } &&
                        std::is_same_v<T, typename Range<typename T::value_type>::Iterator>;

/// Whether a value of this type refers to what is gone when a transaction or a view has ended, or
/// has something in it that does, as far as its type tells.
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
/// A pointer may be to an object of the program's own, but not to characters.
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
/// Containers, optionals, pairs, tuples, adapted ranges, and whatever else is made of other types.
template <template <class...> class Template, class... Parts>
    requires(!CoroutineResult<Template<Parts...>>)
struct Escapes<Template<Parts...>> : std::disjunction<Escapes<Parts>...> {};

/// Why a function cannot be run.
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
