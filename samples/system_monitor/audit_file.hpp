// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace system_monitor {

/// An audit file to which one line at a time is appended, and which survives any end of the
/// program.
///
/// A line is on disk when `append()` returns. If a crash has left a part of a line, that part is
/// removed when the file is opened. Its commit is then written again, because the file continues
/// after the position of its last complete line.
///
/// If the file cannot be continued, a successor begins: FILE.1, then FILE.2. The newest of them is
/// opened. Only one process at a time can have it open.
class AuditFile {
public:
    explicit AuditFile(const std::filesystem::path& path);
    AuditFile(const AuditFile&) = delete;
    AuditFile& operator=(const AuditFile&) = delete;
    ~AuditFile();

    const std::filesystem::path& path() const { return path_; }

    /// Returns the position of the last line, or nothing if there is none.
    const std::optional<keywatch::Position>& position() const { return position_; }

    /// Returns the number of bytes that were removed from its end.
    std::uint64_t torn_bytes() const { return torn_bytes_; }

    void append(const std::string& line, const keywatch::Position& position);

    /// Continues in a new file, unless this one is empty.
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

/// The part of a file that is to be kept.
struct AuditTail {
    std::uint64_t bytes = 0;
    std::optional<keywatch::Position> position;
};

/// Finds the part to be kept in a text, which is the end of a file or the `whole` file. Returns
/// nothing if a longer piece is needed to decide. Throws `std::runtime_error` if this is not an
/// audit file: a file that lacks more than the end of its last line must not be repaired.
std::optional<AuditTail> find_audit_tail(std::string_view text, bool whole);

}  // namespace system_monitor
