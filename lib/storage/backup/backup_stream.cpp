// SPDX-License-Identifier: BSL-1.0
#include "backup_stream.hpp"

#include "bytes/numbers.hpp"
#include "storage/failure.hpp"
#include "storage/format/format_text.hpp"
#include "values/failure.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <istream>
#include <ostream>

namespace keywatch::storage {

using namespace bytes;

namespace {

/// The size of kind and length. After them come the payload and its checksum.
constexpr std::size_t frame_header_bytes = 5;
constexpr std::size_t checksum_bytes = 4;
constexpr std::size_t longest_first_line = 40;

[[noreturn]] void damaged(const char* what)
{
    fail(Error::damaged, std::string("the backup ") + what);
}

/// Returns the system's reason for a failed operation of a stream. A stream does not report why it
/// failed; a file stream leaves the reason in `errno`.
std::string system_reason()
{
    return errno != 0 ? ": " + std::string(std::strerror(errno)) : std::string();
}

std::string_view bytes_of(const HistoryId& id)
{
    return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

}  // namespace

void BackupStream::begin(const BackupIdentity& identity)
{
    const std::string line = format_line(backup_text, backup_format);
    checksum_.add(line);
    write(line);
    std::string payload(bytes_of(identity.history));
    append_fixed(payload, identity.revision);
    append_fixed(payload, std::uint32_t{database_format});
    write_frame(FrameKind::begin, payload);
}

void BackupStream::begin_file(const std::string& name, std::uint64_t size)
{
    std::string payload;
    append_fixed(payload, size);
    payload += name;
    write_frame(FrameKind::file, payload);
    ++files_;
}

void BackupStream::append(std::string_view bytes)
{
    for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), backup_chunk_bytes))) {
        write_frame(FrameKind::data, bytes.substr(0, backup_chunk_bytes));
    }
}

void BackupStream::finish()
{
    std::string payload;
    append_fixed(payload, files_);
    append_fixed(payload, bytes_);
    write_frame(FrameKind::end, payload);
    errno = 0;
    if (!out_.flush()) {
        fail(Error::backup_failed, "the stream cannot be flushed" + system_reason());
    }
}

void BackupStream::write_frame(FrameKind kind, std::string_view payload)
{
    std::string header(1, static_cast<char>(kind));
    append_fixed(header, static_cast<std::uint32_t>(payload.size()));
    checksum_.add(header);
    checksum_.add(payload);
    std::string checksum;
    append_fixed(checksum, checksum_.value());
    write(header);
    write(payload);
    write(checksum);
    if (kind == FrameKind::data) {
        bytes_ += payload.size();
    }
}

void BackupStream::write(std::string_view bytes)
{
    errno = 0;
    if (!out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
        fail(Error::backup_failed, "the stream cannot be written" + system_reason());
    }
}

BackupIdentity BackupReader::copy_to(BackupTarget& target)
{
    read_first_line();
    const BackupIdentity identity = read_begin();
    target.begin(identity);
    for (;;) {
        const Frame frame = read_frame();
        switch (frame.kind) {
        case FrameKind::file:
            take_file(frame, target);
            break;
        case FrameKind::data:
            take_data(frame, target);
            break;
        case FrameKind::end:
            check_end(frame);
            target.finish();
            return identity;
        case FrameKind::begin:
            damaged("begins twice");
        }
    }
}

void BackupReader::read_first_line()
{
    std::string line;
    while (line.size() < longest_first_line && !line.ends_with('\n')) {
        line += read(1);
        // A stream that ends within this line is truncated. A stream that differs from it is not a
        // backup.
        const std::size_t same = std::min(line.size(), backup_text.size());
        if (line.compare(0, same, backup_text.substr(0, same)) != 0) {
            fail(Error::not_a_database, "the stream is not a backup of keywatch");
        }
    }
    const unsigned format = parse_format_line(backup_text, line);
    if (format == 0) {
        damaged("does not say which format it has");
    }
    if (format > backup_format) {
        fail(Error::format_too_new, "the backup has format " + std::to_string(format) +
                                        ", this program knows " + std::to_string(backup_format));
    }
    checksum_.add(line);
}

BackupIdentity BackupReader::read_begin()
{
    const Frame frame = read_frame();
    BackupIdentity identity;
    constexpr std::size_t id_bytes = sizeof identity.history.bytes;
    if (frame.kind != FrameKind::begin || frame.payload.size() != id_bytes + 12) {
        damaged("does not say which database it is of");
    }
    std::copy_n(frame.payload.begin(), id_bytes, identity.history.bytes.begin());
    identity.revision = load_fixed<std::uint64_t>(frame.payload.data() + id_bytes);
    const auto format = load_fixed<std::uint32_t>(frame.payload.data() + id_bytes + 8);
    if (format > database_format) {
        fail(Error::format_too_new, "the backup is of a database of format " +
                                        std::to_string(format) + ", this program knows " +
                                        std::to_string(database_format));
    }
    return identity;
}

void BackupReader::take_file(const Frame& frame, BackupTarget& target)
{
    constexpr std::size_t size_bytes = 8;
    if (left_ != 0 || frame.payload.size() <= size_bytes) {
        damaged("has an incomplete file");
    }
    const std::string name = frame.payload.substr(size_bytes);
    if (!is_data_file(name) || !names_.insert(name).second) {
        damaged("has a file that does not belong to a database");
    }
    left_ = load_fixed<std::uint64_t>(frame.payload.data());
    target.begin_file(name, left_);
}

void BackupReader::take_data(const Frame& frame, BackupTarget& target)
{
    if (frame.payload.empty() || frame.payload.size() > left_) {
        damaged("has data without a file");
    }
    left_ -= frame.payload.size();
    bytes_ += frame.payload.size();
    target.append(frame.payload);
}

void BackupReader::check_end(const Frame& frame) const
{
    if (left_ != 0 || !names_.contains(std::string(current_file)) || frame.payload.size() != 16 ||
        load_fixed<std::uint64_t>(frame.payload.data()) != names_.size() ||
        load_fixed<std::uint64_t>(frame.payload.data() + 8) != bytes_) {
        damaged("is not complete");
    }
}

BackupReader::Frame BackupReader::read_frame()
{
    const std::string header = read(frame_header_bytes);
    const auto kind = static_cast<std::uint8_t>(header[0]);
    const auto size = load_fixed<std::uint32_t>(header.data() + 1);
    if (kind < static_cast<std::uint8_t>(FrameKind::begin) ||
        kind > static_cast<std::uint8_t>(FrameKind::end) || size > backup_chunk_bytes) {
        damaged("has an invalid frame");
    }
    Frame frame{static_cast<FrameKind>(kind), read(size)};
    checksum_.add(header);
    checksum_.add(frame.payload);
    if (load_fixed<std::uint32_t>(read(checksum_bytes).data()) != checksum_.value()) {
        damaged("has a wrong checksum");
    }
    return frame;
}

std::string BackupReader::read(std::size_t size)
{
    std::string bytes(size, '\0');
    if (!in_.read(bytes.data(), static_cast<std::streamsize>(size))) {
        damaged("is cut short");
    }
    return bytes;
}

}  // namespace keywatch::storage
