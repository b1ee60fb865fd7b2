// SPDX-License-Identifier: BSL-1.0
#include "audit_line.hpp"

#include "clock_text.hpp"

#include <nlohmann/json.hpp>

namespace system_monitor {

namespace {

using Json = nlohmann::ordered_json;

/// Returns the JSON as one line. Keys and values are bytes, JSON is UTF-8: other bytes become
/// U+FFFD.
std::string text_of(const Json& json)
{
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void add(Json& line, const keywatch::Message& message)
{
    switch (message.operation) {
    case keywatch::Operation::put:
        line["put"][std::string(message.key)] = message.value;
        break;
    case keywatch::Operation::erase:
        line["erase"].push_back(message.key);
        break;
    default:  // about the bucket itself: nothing else is done to it here
        line[std::string(to_string(message.operation))].push_back(message.bucket);
        break;
    }
}

}  // namespace

std::string audit_line(const keywatch::HistoryId& history, const keywatch::Commit& commit)
{
    Json line;
    line["position"] = to_string(commit.position(history));
    line["revision"] = commit.revision();
    line["time"] = utc_time(commit.time());
    for (const keywatch::Message& message : commit) {
        add(line, message);
    }
    return text_of(line);
}

std::string audit_note(const keywatch::Position& after, const std::string& text)
{
    Json line;
    line["position"] = to_string(after);
    line["note"] = text;
    return text_of(line);
}

std::optional<keywatch::Position> position_of_audit_line(std::string_view line)
{
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("position") || !json["position"].is_string()) {
        return std::nullopt;
    }
    return keywatch::parse_position(json["position"].get<std::string>());
}

}  // namespace system_monitor
