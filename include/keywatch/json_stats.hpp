// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/json_parts.hpp>
#include <keywatch/stats.hpp>
#include <keywatch/time.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <type_traits>

/// @file
/// The part of `keywatch/json.hpp` for `Stats`.

namespace [[gnu::visibility("default")]] keywatch {

namespace detail {

/// Visits the fields of one part of `Stats`, for both directions.
template <class Engine, class Visit>
    requires std::same_as<std::remove_const_t<Engine>, Stats::Engine>
void visit_figures(Engine& engine, Visit visit)
{
    visit("head_revision", engine.head_revision);
    visit("commits", engine.commits);
    visit("unchanged", engine.unchanged);
    visit("failed", engine.failed);
    visit("groups", engine.groups);
    visit("largest_group", engine.largest_group);
    visit("flushes", engine.flushes);
    visit("flush_time", engine.flush_time);
    visit("bytes_written", engine.bytes_written);
    visit("expired", engine.expired);
    visit("pending_bytes", engine.pending_bytes);
    visit("waiting", engine.waiting);
    visit("clock_lead", engine.clock_lead);
    visit("reserve_bytes", engine.reserve_bytes);
}
template <class History, class Visit>
    requires std::same_as<std::remove_const_t<History>, Stats::History>
void visit_figures(History& history, Visit visit)
{
    visit("oldest_revision", history.oldest_revision);
    visit("newest_revision", history.newest_revision);
    visit("oldest_time", history.oldest_time);
    visit("commits", history.commits);
    visit("messages", history.messages);
    visit("bytes", history.bytes);
    visit("trimmed", history.trimmed);
}
template <class Pipeline, class Visit>
    requires std::same_as<std::remove_const_t<Pipeline>, Stats::Pipeline>
void visit_figures(Pipeline& pipeline, Visit visit)
{
    visit("routed_revision", pipeline.routed_revision);
    visit("hub_commits", pipeline.hub_commits);
    visit("hub_messages", pipeline.hub_messages);
    visit("overwritten", pipeline.overwritten);
    visit("read_from_history", pipeline.read_from_history);
    visit("batches", pipeline.batches);
    visit("commits", pipeline.commits);
    visit("messages", pipeline.messages);
    visit("entries", pipeline.entries);
}
template <class Watchers, class Visit>
    requires std::same_as<std::remove_const_t<Watchers>, Stats::Watchers>
void visit_figures(Watchers& watchers, Visit visit)
{
    visit("made", watchers.made);
    visit("running", watchers.running);
    visit("ended", watchers.ended);
    visit("fell_behind", watchers.fell_behind);
    visit("commits_delivered", watchers.commits_delivered);
    visit("messages_delivered", watchers.messages_delivered);
}

template <AnyJson Json>
Json figure_to_json(std::uint64_t figure)
{
    return Json(figure);
}
template <AnyJson Json>
Json figure_to_json(std::chrono::nanoseconds figure)
{
    return Json(std::int64_t{figure.count()});
}
template <AnyJson Json>
Json figure_to_json(std::chrono::microseconds figure)
{
    return Json(std::int64_t{figure.count()});
}
template <AnyJson Json>
Json figure_to_json(Time figure)
{
    return time_to_json<Json>(figure);
}

template <AnyJson Json>
void read_figure(const ObjectReader<Json>& reader, const char* name, std::uint64_t& figure)
{
    figure = reader.template number<std::uint64_t>(name);
}
template <AnyJson Json>
void read_figure(const ObjectReader<Json>& reader, const char* name,
                 std::chrono::nanoseconds& figure)
{
    figure = std::chrono::nanoseconds{reader.template number<std::int64_t>(name)};
}
template <AnyJson Json>
void read_figure(const ObjectReader<Json>& reader, const char* name,
                 std::chrono::microseconds& figure)
{
    figure = std::chrono::microseconds{reader.template number<std::int64_t>(name)};
}
template <AnyJson Json>
void read_figure(const ObjectReader<Json>& reader, const char* name, Time& figure)
{
    figure = reader.time(name);
}

template <AnyJson Json, class Part>
Json figures_to_json(const Part& part)
{
    Json made = Json::object();
    visit_figures(
        part, [&](const char* name, auto figure) { made[name] = figure_to_json<Json>(figure); });
    return made;
}

template <class Part, AnyJson Json>
Part figures_from_json(const Json& from, const char* name)
{
    const ObjectReader<Json> reader(from, name);
    Part part;
    visit_figures(part, [&](const char* figure_name, auto& figure) {
        read_figure(reader, figure_name, figure);
    });
    return part;
}

}  // namespace detail

/// @{
/// Converts to and from an object with one member for each part, which has all its figures.
template <AnyJson Json>
void to_json(Json& to, const Stats& stats)
{
    to = Json::object();
    to["engine"] = detail::figures_to_json<Json>(stats.engine);
    to["history"] = detail::figures_to_json<Json>(stats.history);
    to["pipeline"] = detail::figures_to_json<Json>(stats.pipeline);
    to["watchers"] = detail::figures_to_json<Json>(stats.watchers);
}
template <AnyJson Json>
void from_json(const Json& from, Stats& stats)
{
    const detail::ObjectReader<Json> reader(from, "statistics");
    stats.engine = detail::figures_from_json<Stats::Engine>(reader.at("engine"), "engine");
    stats.history = detail::figures_from_json<Stats::History>(reader.at("history"), "history");
    stats.pipeline = detail::figures_from_json<Stats::Pipeline>(reader.at("pipeline"), "pipeline");
    stats.watchers = detail::figures_from_json<Stats::Watchers>(reader.at("watchers"), "watchers");
}
/// @}

}  // namespace keywatch
