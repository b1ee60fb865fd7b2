// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>
#include <keywatch/position.hpp>

#include <optional>
#include <string>
#include <string_view>

// The lines of an audit file are JSON, each complete in itself, and each begins with the position
// to go on after.
namespace system_monitor {

/// What every line begins with, by which a file of another kind is told.
inline constexpr std::string_view audit_line_begin = R"({"position":")";

/// All that a commit changed.
std::string audit_line(const keywatch::HistoryId& history, const keywatch::Commit& commit);

/// For the head of a file that does not begin with the first commit: the reason.
std::string audit_note(const keywatch::Position& after, const std::string& text);

/// Nothing if this is no whole line.
std::optional<keywatch::Position> position_of_audit_line(std::string_view line);

}  // namespace system_monitor
