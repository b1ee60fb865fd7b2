// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

/// The line of text that marks files and streams of keywatch and states their format.
namespace keywatch::storage {

/// The name of the marker file of a database.
inline constexpr std::string_view marker_name = "KEYWATCH";
inline constexpr std::string_view database_text = "keywatch database, format ";
inline constexpr unsigned database_format = 1;

/// The first line of a backup stream.
inline constexpr std::string_view backup_text = "keywatch backup, format ";
inline constexpr unsigned backup_format = 1;

/// Returns `text`, the number, and a newline.
std::string format_line(std::string_view text, unsigned number);
/// Returns the number in such a line, or 0 if it is not one.
unsigned parse_format_line(std::string_view text, std::string_view line);

/// Returns a unique name: `name`, a dot, and twelve random hexadecimal digits.
std::string unfinished_name(std::string_view name);
/// Returns true if a file has such a name and so may be left over from a crash.
bool is_unfinished(std::string_view name, std::string_view file);

/// Returns a unique second name for a file of a database: the name of an unfinished marker, a
/// hyphen, and the file's own name.
std::string aside_name(std::string_view name);
/// Returns the file's own name if this is a second one, otherwise nullopt.
std::optional<std::string> name_set_aside(std::string_view file);

}  // namespace keywatch::storage
