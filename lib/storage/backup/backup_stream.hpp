// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "backup_target.hpp"

#include "storage/format/checksum.hpp"

#include <cstdint>
#include <iosfwd>
#include <set>
#include <string>
#include <string_view>

/// A backup as one stream of bytes; see doc/storage.md.
namespace keywatch::storage {

/// The contents of a frame of the stream.
enum class FrameKind : std::uint8_t {
    begin = 1,
    file = 2,
    data = 3,
    end = 4,
};

/// Writes a backup to a stream. Exceptions of the stream itself are not changed.
class BackupStream final : public BackupTarget {
public:
    /// The stream must outlive this object.
    explicit BackupStream(std::ostream& out) : out_(out) {}

    void begin(const BackupIdentity& identity) override;
    void begin_file(const std::string& name, std::uint64_t size) override;
    void append(std::string_view bytes) override;
    void finish() override;

private:
    void write_frame(FrameKind kind, std::string_view payload);
    void write(std::string_view bytes);

    std::ostream& out_;
    Checksum checksum_;
    std::uint64_t files_ = 0;
    std::uint64_t bytes_ = 0;
};

/// Reads a stream written by BackupStream. Does not trust it: data is passed on only after the next
/// checksum has confirmed it.
///
/// Errors: `not_a_database` if it is not such a stream, `format_too_new`, `damaged` if anything is
/// missing or altered.
class BackupReader {
public:
    explicit BackupReader(std::istream& in) : in_(in) {}

    /// Copies the backup to `target` and returns its identity. Reads to the end of the backup and
    /// no further.
    BackupIdentity copy_to(BackupTarget& target);

private:
    struct Frame {
        FrameKind kind;
        std::string payload;
    };

    void read_first_line();
    Frame read_frame();
    std::string read(std::size_t size);
    BackupIdentity read_begin();
    void take_file(const Frame& frame, BackupTarget& target);
    void take_data(const Frame& frame, BackupTarget& target);
    void check_end(const Frame& frame) const;

    std::istream& in_;
    Checksum checksum_;
    std::set<std::string> names_;
    std::uint64_t left_ = 0;  ///< bytes that the current file still lacks
    std::uint64_t bytes_ = 0;
};

}  // namespace keywatch::storage
