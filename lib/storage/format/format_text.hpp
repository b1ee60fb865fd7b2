// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

/// What tells that something was written by keywatch, and in which format: a line of text.
namespace keywatch::storage {

/// The marker file of a database.
inline constexpr std::string_view marker_name = "KEYWATCH";
inline constexpr std::string_view database_text = "keywatch database, format ";
inline constexpr unsigned database_format = 1;

/// The first line of a backup that is a stream.
inline constexpr std::string_view backup_text = "keywatch backup, format ";
inline constexpr unsigned backup_format = 1;

/// `text`, the number, and a newline.
std::string format_line(std::string_view text, unsigned number);
/// The number that such a line tells; 0 if it is none.
unsigned parse_format_line(std::string_view text, std::string_view line);

/// A name that nobody else has: `name`, a dot, and twelve random digits.
std::string unfinished_name(std::string_view name);
/// Whether a file may be what a crash has left of that.
bool is_unfinished(std::string_view name, std::string_view file);

/// A second name for a file of a database, which nobody else has: as that of an unfinished marker,
/// a hyphen, and the file's own.
std::string aside_name(std::string_view name);
/// The file's own name, if this is a second one.
std::optional<std::string> name_set_aside(std::string_view file);

}  // namespace keywatch::storage
