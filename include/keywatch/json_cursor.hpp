// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/cursor.hpp>
#include <keywatch/json_parts.hpp>
#include <keywatch/time.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

/// @file
/// The part of `keywatch/json.hpp` for `Cursor` and `CursorLag`.

namespace [[gnu::visibility("default")]] keywatch {

/// @{
/// Converts the name, the position and the time of the save.
template <AnyJson Json>
void to_json(Json& to, const Cursor& cursor)
{
    to = Json::object();
    to["name"] = detail::bytes_to_json<Json>(cursor.name);
    to["position"] = to_string(cursor.position);
    to["saved"] = detail::time_to_json<Json>(cursor.saved);
}
template <AnyJson Json>
void from_json(const Json& from, Cursor& cursor)
{
    const detail::ObjectReader<Json> reader(from, "a cursor");
    cursor = Cursor{reader.bytes("name"), reader.position("position"), reader.time("saved")};
}
/// @}

/// @{
/// Converts the cursor and its lag. The age is in microseconds.
template <AnyJson Json>
void to_json(Json& to, const CursorLag& lag)
{
    to = Json::object();
    to["cursor"] = lag.cursor;
    to["age"] = std::int64_t{lag.age.count()};
    to["revisions"] = lag.revisions;
    to["messages"] = lag.messages;
    to["bytes"] = lag.bytes;
    to["compacted"] = lag.compacted;
}
template <AnyJson Json>
void from_json(const Json& from, CursorLag& lag)
{
    const detail::ObjectReader<Json> reader(from, "the lag of a cursor");
    CursorLag read;
    read.cursor = reader.at("cursor").template get<Cursor>();
    read.age = std::chrono::microseconds(reader.template number<std::int64_t>("age"));
    read.revisions = reader.template number<std::uint64_t>("revisions");
    read.messages = reader.template number<std::uint64_t>("messages");
    read.bytes = reader.template number<std::uint64_t>("bytes");
    read.compacted = reader.flag("compacted");
    lag = std::move(read);
}
/// @}

}  // namespace keywatch
