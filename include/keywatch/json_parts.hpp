// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/options.hpp>
#include <keywatch/position.hpp>
#include <keywatch/selector.hpp>
#include <keywatch/time.hpp>
#include <keywatch/watch_options.hpp>

#include <boost/algorithm/hex.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

/// @file
/// The building blocks of `keywatch/json.hpp`: bytes, numbers and names as JSON, with validation on
/// reading. Programs include `keywatch/json.hpp`.

namespace [[gnu::visibility("default")]] keywatch {

/// Any instance of `nlohmann::basic_json`.
template <class Json>
concept AnyJson = requires {
    typename Json::json_pointer;
    typename Json::object_t;
    Json::meta();
};

namespace detail {

template <AnyJson Json>
[[noreturn]] void fail_to_read(const Json& from, std::string_view what, const std::string& why)
{
    throw Json::type_error::create(302, "keywatch: " + std::string(what) + ' ' + why, &from);
}

/// Returns true if JSON can represent these bytes as a string: valid UTF-8 without overlong forms,
/// surrogates, or code points above U+10FFFF.
inline bool is_utf8(std::string_view bytes)
{
    const auto at = [&](std::size_t place) {
        return place < bytes.size() ? static_cast<unsigned char>(bytes[place]) : 0U;
    };
    for (std::size_t i = 0; i < bytes.size();) {
        const unsigned first = at(i);
        const std::size_t more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
        if ((first >= 0x80 && first < 0xc2) || first > 0xf4) {
            return false;
        }
        const unsigned least = first == 0xe0 ? 0xa0U : first == 0xf0 ? 0x90U : 0x80U;
        const unsigned most = first == 0xed ? 0x9fU : first == 0xf4 ? 0x8fU : 0xbfU;
        if (more > 0 && (at(i + 1) < least || at(i + 1) > most)) {
            return false;
        }
        for (std::size_t k = 2; k <= more; ++k) {
            if ((at(i + k) & 0xc0U) != 0x80U) {
                return false;
            }
        }
        i += more + 1;
    }
    return true;
}

template <AnyJson Json>
Json bytes_to_json(std::string_view bytes)
{
    if (is_utf8(bytes)) {
        return Json(std::string(bytes));
    }
    std::string digits;
    boost::algorithm::hex_lower(bytes, std::back_inserter(digits));
    Json made = Json::object();
    made["hex"] = std::move(digits);
    return made;
}

template <AnyJson Json>
std::string bytes_from_json(const Json& from, std::string_view what)
{
    if (from.is_string()) {
        return from.template get<std::string>();
    }
    if (!from.is_object() || from.size() != 1 || !from.contains("hex") ||
        !from.find("hex")->is_string()) {
        fail_to_read(from, what, "must be a string, or an object with \"hex\" alone");
    }
    std::string bytes;
    try {
        boost::algorithm::unhex(from.find("hex")->template get<std::string>(),
                                std::back_inserter(bytes));
    } catch (const boost::algorithm::hex_decode_error&) {
        fail_to_read(from, what, "must have an even number of hexadecimal digits");
    }
    return bytes;
}

/// Converts a score. Infinities, which JSON cannot represent as numbers, become strings.
template <AnyJson Json>
Json score_to_json(double score)
{
    return std::isinf(score) ? Json(score < 0 ? "-inf" : "inf") : Json(score);
}

template <AnyJson Json>
double score_from_json(const Json& from, std::string_view what)
{
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (from.is_number() && !std::isnan(from.template get<double>())) {
        return from.template get<double>();
    }
    const std::string text = from.is_string() ? from.template get<std::string>() : std::string();
    if (text == "inf" || text == "-inf") {
        return text == "inf" ? infinity : -infinity;
    }
    fail_to_read(from, what, R"(must be a number, "inf" or "-inf")");
}

template <std::integral Number, AnyJson Json>
Number number_from_json(const Json& from, std::string_view what)
{
    if (from.is_number_unsigned()) {
        const auto number = from.template get<std::uint64_t>();
        if (std::in_range<Number>(number)) {
            return static_cast<Number>(number);
        }
    } else if (from.is_number_integer()) {
        const auto number = from.template get<std::int64_t>();
        if (std::in_range<Number>(number)) {
            return static_cast<Number>(number);
        }
    }
    fail_to_read(from, what,
                 std::string("must be an integer of ") +
                     std::to_string(std::numeric_limits<Number>::digits) + " bits" +
                     (std::is_signed_v<Number> ? " and a sign" : ""));
}

template <AnyJson Json>
Json time_to_json(Time time)
{
    return Json(std::int64_t{time.time_since_epoch().count()});
}

template <AnyJson Json>
Time time_from_json(const Json& from, std::string_view what)
{
    return Time{std::chrono::microseconds{number_from_json<std::int64_t>(from, what)}};
}

template <AnyJson Json>
bool flag_from_json(const Json& from, std::string_view what)
{
    if (!from.is_boolean()) {
        fail_to_read(from, what, "must be true or false");
    }
    return from.template get<bool>();
}

// Names of enumerators that have no `to_string`.

inline std::string_view name_of(Durability durability)
{
    switch (durability) {
    case Durability::sync:
        return "sync";
    case Durability::buffered:
        return "buffered";
    }
    return "unknown";
}

inline std::string_view name_of(Selector::Kind kind)
{
    switch (kind) {
    case Selector::Kind::key:
        return "key";
    case Selector::Kind::all:
        return "all";
    case Selector::Kind::prefix:
        return "prefix";
    case Selector::Kind::range:
        return "range";
    case Selector::Kind::glob:
        return "glob";
    }
    return "unknown";
}

inline std::string_view name_of(From::Kind kind)
{
    switch (kind) {
    case From::Kind::now:
        return "now";
    case From::Kind::revision:
        return "revision";
    case From::Kind::after:
        return "after";
    case From::Kind::oldest:
        return "oldest";
    case From::Kind::snapshot:
        return "snapshot";
    case From::Kind::cursor:
        return "cursor";
    }
    return "unknown";
}

inline std::string_view name_of(Overflow overflow)
{
    switch (overflow) {
    case Overflow::catch_up:
        return "catch_up";
    case Overflow::latest:
        return "latest";
    case Overflow::skip:
        return "skip";
    case Overflow::stop:
        return "stop";
    }
    return "unknown";
}

template <class Enumerator>
std::string_view name_of(Enumerator enumerator)
{
    return to_string(enumerator);
}

template <class Enumerator, AnyJson Json>
Enumerator enumerator_from_json(const Json& from, std::string_view what)
{
    if (!from.is_string()) {
        fail_to_read(from, what, "must be a string");
    }
    const auto name = from.template get<std::string>();
    for (unsigned number = 0; number < 256; ++number) {
        const auto enumerator = static_cast<Enumerator>(number);
        if (name_of(enumerator) == name && name != "unknown") {
            return enumerator;
        }
    }
    fail_to_read(from, what, "has the unknown name \"" + name.substr(0, 40) + '"');
}

template <AnyJson Json>
Position position_from_json(const Json& from, std::string_view what)
{
    const auto position =
        parse_position(from.is_string() ? from.template get<std::string>() : std::string());
    if (!position) {
        fail_to_read(from, what, "must be a position: 32 hexadecimal digits, a colon, a revision");
    }
    return *position;
}

/// A reader of the fields of an object. `what` names the object in error messages.
template <AnyJson Json>
class ObjectReader {
public:
    ObjectReader(const Json& from, std::string_view what) : from_(&from)
    {
        if (!from.is_object()) {
            fail_to_read(from, what, "must be an object");
        }
    }

    const Json& at(const char* name) const
    {
        const auto found = from_->find(name);
        if (found == from_->end()) {
            fail_to_read(*from_, name, "is missing");
        }
        return *found;
    }

    template <class Number>
    Number number(const char* name) const
    {
        return number_from_json<Number>(at(name), name);
    }
    template <class Enumerator>
    Enumerator enumerator(const char* name) const
    {
        return enumerator_from_json<Enumerator>(at(name), name);
    }
    std::string bytes(const char* name) const { return bytes_from_json(at(name), name); }
    bool flag(const char* name) const { return flag_from_json(at(name), name); }
    Time time(const char* name) const { return time_from_json(at(name), name); }
    Position position(const char* name) const { return position_from_json(at(name), name); }

    /// Returns the result of `read` for an optional field, or nothing if the field is missing.
    template <class Read>
    auto optional(const char* name, Read read) const
        -> std::optional<decltype(read(std::declval<const Json&>(), name))>
    {
        const auto found = from_->find(name);
        if (found == from_->end()) {
            return std::nullopt;
        }
        return read(*found, name);
    }

private:
    const Json* from_;
};

}  // namespace detail

}  // namespace keywatch
