// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>
#include <keywatch/position.hpp>

#include <optional>
#include <string>
#include <string_view>

// The lines of an audit file are JSON objects, each complete in itself. Each begins with the
// position after which a reader of the file continues.
namespace system_monitor {

/// The beginning of every line, which identifies an audit file.
inline constexpr std::string_view audit_line_begin = R"({"position":")";

/// Returns the line for a commit, with everything it changed.
std::string audit_line(const keywatch::HistoryId& history, const keywatch::Commit& commit);

/// Returns the first line of a file that does not begin with the first commit, with the reason.
std::string audit_note(const keywatch::Position& after, const std::string& text);

/// Returns the position of a line, or nothing if this is not a complete line.
std::optional<keywatch::Position> position_of_audit_line(std::string_view line);

}  // namespace system_monitor
