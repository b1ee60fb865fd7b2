// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/json_cursor.hpp>
#include <keywatch/json_info.hpp>
#include <keywatch/json_parts.hpp>
#include <keywatch/json_stats.hpp>
#include <keywatch/json_watch.hpp>
#include <keywatch/message.hpp>
#include <keywatch/pull_watcher.hpp>
#include <keywatch/transaction.hpp>
#include <keywatch/watcher.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>

/// @file
/// JSON conversions of the public values, for programs that use nlohmann_json 3.11 or later. This
/// header must be included separately. doc/json.md describes the format.
///
///     nlohmann::json json = message;
///     auto copy = json.get<keywatch::OwnedMessage>();
///
/// Works with any `basic_json`, such as `ordered_json`, which keeps the fields in the order of the
/// documentation. Bytes that are not UTF-8 are preserved. Reading validates its input: if a value
/// does not have the form in which it was written, reading fails with `type_error` (302) of
/// nlohmann_json, whose message names the field and the reason, and produces no value. Unknown
/// fields are ignored, because later versions may have more.

namespace [[gnu::visibility("default")]] keywatch {

namespace detail {

/// Writes the fields that not all messages have.
template <AnyJson Json>
void add_optional_fields(Json& to, const Message& message)
{
    if (message.previous) {
        to["previous"] = bytes_to_json<Json>(*message.previous);
    }
    if (message.score) {
        to["score"] = score_to_json<Json>(*message.score);
    }
    if (message.previous_score) {
        to["previous_score"] = score_to_json<Json>(*message.previous_score);
    }
    if (message.list_index) {
        to["list_index"] = *message.list_index;
    }
    if (message.count) {
        to["count"] = *message.count;
    }
    if (message.deadline) {
        to["deadline"] = time_to_json<Json>(*message.deadline);
    }
}

template <AnyJson Json>
void read_optional_fields(const ObjectReader<Json>& reader, Message& message)
{
    const auto score = [](const Json& from, const char* name) {
        return score_from_json(from, name);
    };
    const auto number = [](const Json& from, const char* name) {
        return number_from_json<std::uint64_t>(from, name);
    };
    const auto time = [](const Json& from, const char* name) { return time_from_json(from, name); };
    message.score = reader.optional("score", score);
    message.previous_score = reader.optional("previous_score", score);
    message.list_index = reader.optional("list_index", number);
    message.count = reader.optional("count", number);
    message.deadline = reader.optional("deadline", time);
}

}  // namespace detail

/// @{
/// Converts an enumerator to and from its name.
template <AnyJson Json>
void to_json(Json& to, Structure structure)
{
    to = std::string(to_string(structure));
}
template <AnyJson Json>
void from_json(const Json& from, Structure& structure)
{
    structure = detail::enumerator_from_json<Structure>(from, "a structure");
}
template <AnyJson Json>
void to_json(Json& to, Operation operation)
{
    to = std::string(to_string(operation));
}
template <AnyJson Json>
void from_json(const Json& from, Operation& operation)
{
    operation = detail::enumerator_from_json<Operation>(from, "an operation");
}
template <AnyJson Json>
void to_json(Json& to, Cause cause)
{
    to = std::string(to_string(cause));
}
template <AnyJson Json>
void from_json(const Json& from, Cause& cause)
{
    cause = detail::enumerator_from_json<Cause>(from, "a cause");
}
template <AnyJson Json>
void to_json(Json& to, EndReason reason)
{
    to = std::string(to_string(reason));
}
template <AnyJson Json>
void from_json(const Json& from, EndReason& reason)
{
    reason = detail::enumerator_from_json<EndReason>(from, "a reason");
}
template <AnyJson Json>
void to_json(Json& to, Durability durability)
{
    to = std::string(detail::name_of(durability));
}
template <AnyJson Json>
void from_json(const Json& from, Durability& durability)
{
    durability = detail::enumerator_from_json<Durability>(from, "a durability");
}
/// @}

/// @{
/// Converts to and from 32 hexadecimal digits.
template <AnyJson Json>
void to_json(Json& to, const HistoryId& history)
{
    to = to_string(Position{history, 0}).substr(0, 2 * history.bytes.size());
}
template <AnyJson Json>
void from_json(const Json& from, HistoryId& history)
{
    const auto digits = from.is_string() ? from.template get<std::string>() : std::string();
    const auto position = parse_position(digits + ":0");
    if (!position) {
        detail::fail_to_read(from, "a history", "must be 32 hexadecimal digits");
    }
    history = position->history;
}
/// @}

/// @{
/// Converts to and from the text written by `to_string`.
template <AnyJson Json>
void to_json(Json& to, const Position& position)
{
    to = to_string(position);
}
template <AnyJson Json>
void from_json(const Json& from, Position& position)
{
    position = detail::position_from_json(from, "a position");
}
/// @}

/// @{
/// Converts the structure and the name.
template <AnyJson Json>
void to_json(Json& to, const Bucket& bucket)
{
    to = Json::object();
    to["structure"] = bucket.structure;
    to["name"] = detail::bytes_to_json<Json>(bucket.name);
}
template <AnyJson Json>
void from_json(const Json& from, Bucket& bucket)
{
    const detail::ObjectReader<Json> reader(from, "a bucket");
    bucket = Bucket{reader.template enumerator<Structure>("structure"), reader.bytes("name")};
}
/// @}

/// Writes all fields, except those of type `std::optional` that are empty. To read a message, read
/// an `OwnedMessage`, because a `Message` owns none of its bytes.
template <AnyJson Json>
void to_json(Json& to, const Message& message)
{
    to = Json::object();
    to["revision"] = message.revision;
    to["first_revision"] = message.first_revision;
    to["index"] = message.index;
    to["structure"] = message.structure;
    to["operation"] = message.operation;
    to["cause"] = message.cause;
    to["ends_bucket"] = message.ends_bucket;
    to["last_in_commit"] = message.last_in_commit;
    to["snapshot"] = message.snapshot;
    to["bucket"] = detail::bytes_to_json<Json>(message.bucket);
    to["key"] = detail::bytes_to_json<Json>(message.key);
    to["value"] = detail::bytes_to_json<Json>(message.value);
    detail::add_optional_fields(to, message);
    to["time"] = detail::time_to_json<Json>(message.time);
    to["origin"] = detail::bytes_to_json<Json>(message.origin);
}

/// Writes what all messages of the commit share, and the selected messages.
template <AnyJson Json>
void to_json(Json& to, const Commit& commit)
{
    to = Json::object();
    to["revision"] = commit.revision();
    to["previous"] = commit.previous();
    to["time"] = detail::time_to_json<Json>(commit.time());
    to["origin"] = detail::bytes_to_json<Json>(commit.origin());
    Json& messages = to["messages"] = Json::array();
    for (const Message& message : commit) {
        messages.push_back(message);
    }
}
/// Same as for a `Commit`.
template <AnyJson Json>
void to_json(Json& to, const PulledCommit& commit)
{
    to_json(to, static_cast<const Commit&>(commit));
}

/// @{
/// Converts the reason and the position.
template <AnyJson Json>
void to_json(Json& to, const WatchEnd& end)
{
    to = Json::object();
    to["reason"] = end.reason;
    to["position"] = end.position;
}
template <AnyJson Json>
void from_json(const Json& from, WatchEnd& end)
{
    const detail::ObjectReader<Json> reader(from, "the end of a watch");
    end = WatchEnd{reader.template enumerator<EndReason>("reason"), reader.position("position")};
}
/// @}

}  // namespace keywatch

/// @cond internal

// These types need a specialization of the serializer of nlohmann_json: `OwnedMessage` has no
// default constructor, and `Time` is a type of the standard library.

/// The JSON form of an `OwnedMessage`: that of the `Message` that it owns.
template <>
struct nlohmann::adl_serializer<keywatch::OwnedMessage> {
    template <class Json>
    static void to_json(Json& to, const keywatch::OwnedMessage& message)
    {
        to = message.get();
    }
    template <class Json>
    static keywatch::OwnedMessage from_json(const Json& from)
    {
        const keywatch::detail::ObjectReader<Json> reader(from, "a message");
        const std::string bucket = reader.bytes("bucket");
        const std::string key = reader.bytes("key");
        const std::string value = reader.bytes("value");
        const std::string origin = reader.bytes("origin");
        const auto previous = reader.optional("previous", [](const Json& bytes, const char* name) {
            return keywatch::detail::bytes_from_json(bytes, name);
        });
        keywatch::Message message;
        message.revision = reader.template number<keywatch::Revision>("revision");
        message.first_revision = reader.template number<keywatch::Revision>("first_revision");
        message.index = reader.template number<std::uint32_t>("index");
        message.structure = reader.template enumerator<keywatch::Structure>("structure");
        message.operation = reader.template enumerator<keywatch::Operation>("operation");
        message.cause = reader.template enumerator<keywatch::Cause>("cause");
        message.ends_bucket = reader.flag("ends_bucket");
        message.last_in_commit = reader.flag("last_in_commit");
        message.snapshot = reader.flag("snapshot");
        message.bucket = bucket;
        message.key = key;
        message.value = value;
        message.previous = previous;
        keywatch::detail::read_optional_fields(reader, message);
        message.time = reader.time("time");
        message.origin = origin;
        return keywatch::OwnedMessage(message);
    }
};

/// The JSON form of a `Time`: microseconds since 1970-01-01 UTC, as an integer.
template <>
struct nlohmann::adl_serializer<keywatch::Time> {
    template <class Json>
    static void to_json(Json& to, const keywatch::Time& time)
    {
        to = keywatch::detail::time_to_json<Json>(time);
    }
    template <class Json>
    static keywatch::Time from_json(const Json& from)
    {
        return keywatch::detail::time_from_json(from, "a time");
    }
};
/// @endcond
