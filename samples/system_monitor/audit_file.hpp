// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace system_monitor {

/// An audit file that is appended to, a line at a time, and survives any end of the program.
///
/// A line is on disk when append() returns. What a crash left of a line that was being appended is
/// removed when the file is opened, and its commit is then written anew, since the position that
/// the file goes on after is that of its last whole line.
///
/// When the file cannot be continued, its successor begins: FILE.1, then FILE.2; the newest of them
/// is the one that is opened. Only one process at a time can have it open.
class AuditFile {
public:
    explicit AuditFile(const std::filesystem::path& path);
    AuditFile(const AuditFile&) = delete;
    AuditFile& operator=(const AuditFile&) = delete;
    ~AuditFile();

    const std::filesystem::path& path() const { return path_; }

    /// Of the last line; nothing if there is none.
    const std::optional<keywatch::Position>& position() const { return position_; }

    /// Bytes that were removed from its end.
    std::uint64_t torn_bytes() const { return torn_bytes_; }

    void append(const std::string& line, const keywatch::Position& position);

    /// Goes on in a new file, unless this one is empty.
    void begin_successor();

private:
    void open(const std::filesystem::path& path);
    void close() noexcept;

    std::filesystem::path first_path_;
    std::filesystem::path path_;
    int file_ = -1;
    std::optional<keywatch::Position> position_;
    std::uint64_t torn_bytes_ = 0;
};

/// What of a file is to be kept.
struct AuditTail {
    std::uint64_t bytes = 0;
    std::optional<keywatch::Position> position;
};

/// The same of a text: the end of a file, or the `whole` file. Nothing if a longer piece is needed
/// to tell. Throws std::runtime_error if that is no audit file: one that lacks more than the end of
/// its last line is not ours to repair.
std::optional<AuditTail> find_audit_tail(std::string_view text, bool whole);

}  // namespace system_monitor
