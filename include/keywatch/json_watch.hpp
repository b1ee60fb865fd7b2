// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/filter.hpp>
#include <keywatch/json_parts.hpp>
#include <keywatch/selector.hpp>
#include <keywatch/watch_options.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// @file
/// The part of `keywatch/json.hpp` for selectors, filters, starts and overflow policies.

namespace [[gnu::visibility("default")]] keywatch {

namespace detail {

template <AnyJson Json, class Enumerator>
Json names_to_json(const std::vector<Enumerator>& enumerators)
{
    Json names = Json::array();
    for (const Enumerator each : enumerators) {
        names.push_back(std::string(name_of(each)));
    }
    return names;
}

template <class Enumerator, AnyJson Json>
std::vector<Enumerator> names_from_json(const ObjectReader<Json>& reader, const char* name)
{
    const Json& from = reader.at(name);
    if (!from.is_array()) {
        fail_to_read(from, name, "must be an array of names");
    }
    std::vector<Enumerator> enumerators;
    for (const Json& each : from) {
        enumerators.push_back(enumerator_from_json<Enumerator>(each, name));
    }
    return enumerators;
}

}  // namespace detail

/// @{
/// Converts an enumerator to and from its name.
template <AnyJson Json>
void to_json(Json& to, Overflow overflow)
{
    to = std::string(detail::name_of(overflow));
}
template <AnyJson Json>
void from_json(const Json& from, Overflow& overflow)
{
    overflow = detail::enumerator_from_json<Overflow>(from, "an overflow policy");
}
/// @}

/// @{
/// Converts all fields except the predicate, which is a function: a filter that was read has none.
/// The two origins are omitted if they are not set.
template <AnyJson Json>
void to_json(Json& to, const Filter& filter)
{
    to = Json::object();
    to["structures"] = detail::names_to_json<Json>(filter.structures);
    to["operations"] = detail::names_to_json<Json>(filter.operations);
    to["causes"] = detail::names_to_json<Json>(filter.causes);
    if (filter.origin) {
        to["origin"] = detail::bytes_to_json<Json>(*filter.origin);
    }
    if (filter.except_origin) {
        to["except_origin"] = detail::bytes_to_json<Json>(*filter.except_origin);
    }
}
template <AnyJson Json>
void from_json(const Json& from, Filter& filter)
{
    const detail::ObjectReader<Json> reader(from, "a filter");
    const auto bytes = [](const Json& origin, const char* name) {
        return detail::bytes_from_json(origin, name);
    };
    Filter read;
    read.structures = detail::names_from_json<Structure>(reader, "structures");
    read.operations = detail::names_from_json<Operation>(reader, "operations");
    read.causes = detail::names_from_json<Cause>(reader, "causes");
    read.origin = reader.optional("origin", bytes);
    read.except_origin = reader.optional("except_origin", bytes);
    filter = std::move(read);
}
/// @}

}  // namespace keywatch

/// @cond internal

// These types have no default constructor, so they need a specialization of the serializer of
// nlohmann_json.

/// The JSON form of a `Selector`: its kind, and the key, prefix, pattern or both ends of the range,
/// if it has them.
template <>
struct nlohmann::adl_serializer<keywatch::Selector> {
    template <class Json>
    static void to_json(Json& to, const keywatch::Selector& selector)
    {
        to = Json::object();
        using Kind = keywatch::Selector::Kind;
        to["kind"] = std::string(keywatch::detail::name_of(selector.kind()));
        if (selector.kind() != Kind::all) {
            to["key"] = keywatch::detail::bytes_to_json<Json>(selector.key());
        }
        if (selector.kind() == Kind::range) {
            to["end"] = keywatch::detail::bytes_to_json<Json>(selector.end());
        }
    }
    template <class Json>
    static keywatch::Selector from_json(const Json& from)
    {
        using Kind = keywatch::Selector::Kind;
        const keywatch::detail::ObjectReader<Json> reader(from, "a selector");
        switch (reader.template enumerator<Kind>("kind")) {
        case Kind::key:
            return keywatch::key(reader.bytes("key"));
        case Kind::prefix:
            return keywatch::prefix(reader.bytes("key"));
        case Kind::range:
            return keywatch::range(reader.bytes("key"), reader.bytes("end"));
        case Kind::glob:
            return keywatch::glob(reader.bytes("key"));
        case Kind::all:
            break;
        }
        return keywatch::all();
    }
};

/// The JSON form of a `BucketSelector`: a flag for the whole database and, if that is false, the
/// bucket and the selector of its keys.
template <>
struct nlohmann::adl_serializer<keywatch::BucketSelector> {
    template <class Json>
    static void to_json(Json& to, const keywatch::BucketSelector& selector)
    {
        to = Json::object();
        to["whole_database"] = selector.is_whole_database();
        if (!selector.is_whole_database()) {
            to["bucket"] = keywatch::detail::bytes_to_json<Json>(selector.bucket());
            to["selector"] = selector.selector();
        }
    }
    template <class Json>
    static keywatch::BucketSelector from_json(const Json& from)
    {
        const keywatch::detail::ObjectReader<Json> reader(from, "a selector of a bucket");
        if (reader.flag("whole_database")) {
            return keywatch::whole_database();
        }
        std::string bucket = reader.bytes("bucket");
        return keywatch::in(std::move(bucket),
                            reader.at("selector").template get<keywatch::Selector>());
    }
};

/// The JSON form of `Selectors`: an array.
template <>
struct nlohmann::adl_serializer<keywatch::Selectors> {
    template <class Json>
    static void to_json(Json& to, const keywatch::Selectors& selectors)
    {
        to = Json::array();
        for (const keywatch::BucketSelector& each : selectors.list()) {
            to.push_back(Json(each));
        }
    }
    template <class Json>
    static keywatch::Selectors from_json(const Json& from)
    {
        if (!from.is_array()) {
            keywatch::detail::fail_to_read(from, "selectors", "must be an array");
        }
        std::vector<keywatch::BucketSelector> list;
        for (const Json& each : from) {
            list.push_back(each.template get<keywatch::BucketSelector>());
        }
        return keywatch::Selectors(std::move(list));
    }
};

/// The JSON form of a `From`: its kind, and the revision, position or cursor if it has one.
template <>
struct nlohmann::adl_serializer<keywatch::From> {
    template <class Json>
    static void to_json(Json& to, const keywatch::From& start)
    {
        using Kind = keywatch::From::Kind;
        to = Json::object();
        to["kind"] = std::string(keywatch::detail::name_of(start.kind()));
        if (start.kind() == Kind::revision) {
            to["revision"] = start.position().revision;
        } else if (start.kind() == Kind::after) {
            to["position"] = start.position();
        } else if (start.kind() == Kind::cursor) {
            to["cursor"] = keywatch::detail::bytes_to_json<Json>(start.cursor());
        }
    }
    template <class Json>
    static keywatch::From from_json(const Json& from)
    {
        using Kind = keywatch::From::Kind;
        const keywatch::detail::ObjectReader<Json> reader(from, "the start of a watch");
        switch (reader.template enumerator<Kind>("kind")) {
        case Kind::now:
            break;
        case Kind::revision:
            return keywatch::From::revision(reader.template number<keywatch::Revision>("revision"));
        case Kind::after:
            return keywatch::From::after(reader.position("position"));
        case Kind::oldest:
            return keywatch::From::oldest();
        case Kind::snapshot:
            return keywatch::From::snapshot();
        case Kind::cursor:
            return keywatch::From::cursor(reader.bytes("cursor"));
        }
        return keywatch::From::now();
    }
};
/// @endcond
