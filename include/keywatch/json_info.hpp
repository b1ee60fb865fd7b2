// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/json_parts.hpp>
#include <keywatch/json_watch.hpp>
#include <keywatch/lag.hpp>
#include <keywatch/watcher_info.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

/// @file
/// The part of `keywatch/json.hpp` for `WatcherInfo`, `WatcherState` and `Lag`.

namespace [[gnu::visibility("default")]] keywatch {

namespace detail {

/// Visits the plain counts, for both directions.
template <class Info, class Visit>
void visit_counts(Info& info, Visit visit)
{
    visit("queued_messages", info.queued_messages);
    visit("queued_bytes", info.queued_bytes);
    visit("commits", info.commits);
    visit("messages", info.messages);
    visit("fell_behind", info.fell_behind);
    visit("coalesced", info.coalesced);
    visit("gaps", info.gaps);
    visit("skipped", info.skipped);
}

}  // namespace detail

/// @{
/// Converts an enumerator to and from its name.
template <AnyJson Json>
void to_json(Json& to, WatcherState state)
{
    to = std::string(to_string(state));
}
template <AnyJson Json>
void from_json(const Json& from, WatcherState& state)
{
    state = detail::enumerator_from_json<WatcherState>(from, "a state");
}
/// @}

/// @{
/// Converts all fields. The time is in microseconds.
template <AnyJson Json>
void to_json(Json& to, const Lag& lag)
{
    to = Json::object();
    to["revisions"] = lag.revisions;
    to["messages"] = lag.messages;
    to["bytes"] = lag.bytes;
    to["time"] = std::int64_t{lag.time.count()};
}
template <AnyJson Json>
void from_json(const Json& from, Lag& lag)
{
    const detail::ObjectReader<Json> reader(from, "a lag");
    lag = Lag{reader.template number<std::uint64_t>("revisions"),
              reader.template number<std::uint64_t>("messages"),
              reader.template number<std::uint64_t>("bytes"),
              std::chrono::microseconds(reader.template number<std::int64_t>("time"))};
}
/// @}

/// @{
/// Converts all fields. Times are in nanoseconds. `end` is omitted if there is none.
template <AnyJson Json>
void to_json(Json& to, const WatcherInfo& info)
{
    to = Json::object();
    to["id"] = info.id;
    to["name"] = detail::bytes_to_json<Json>(info.name);
    to["selectors"] = info.selectors;
    to["overflow"] = info.overflow;
    to["pulled"] = info.pulled;
    to["state"] = info.state;
    if (info.end) {
        to["end"] = *info.end;
    }
    to["error"] = detail::bytes_to_json<Json>(info.error);
    to["position"] = info.position;
    to["lag"] = info.lag;
    to["overflowed"] = info.overflowed;
    detail::visit_counts(info, [&](const char* name, std::uint64_t count) { to[name] = count; });
    to["callback_time"] = std::int64_t{info.callback_time.count()};
    to["longest_callback"] = std::int64_t{info.longest_callback.count()};
}
template <AnyJson Json>
void from_json(const Json& from, WatcherInfo& info)
{
    const detail::ObjectReader<Json> reader(from, "a watcher");
    const auto reason = [](const Json& end, const char* name) {
        return detail::enumerator_from_json<EndReason>(end, name);
    };
    WatcherInfo read;
    read.id = reader.template number<std::uint64_t>("id");
    read.name = reader.bytes("name");
    read.selectors = reader.at("selectors").template get<Selectors>();
    read.overflow = reader.template enumerator<Overflow>("overflow");
    read.pulled = reader.flag("pulled");
    read.state = reader.template enumerator<WatcherState>("state");
    read.end = reader.optional("end", reason);
    read.error = reader.bytes("error");
    read.position = reader.position("position");
    read.lag = reader.at("lag").template get<Lag>();
    read.overflowed = reader.flag("overflowed");
    detail::visit_counts(read, [&](const char* name, std::uint64_t& count) {
        count = reader.template number<std::uint64_t>(name);
    });
    read.callback_time =
        std::chrono::nanoseconds(reader.template number<std::int64_t>("callback_time"));
    read.longest_callback =
        std::chrono::nanoseconds(reader.template number<std::int64_t>("longest_callback"));
    info = std::move(read);
}
/// @}

}  // namespace keywatch
