// SPDX-License-Identifier: BSL-1.0
#include "audit_file.hpp"

#include "audit_line.hpp"

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace system_monitor {

namespace {

[[noreturn]] void fail(const std::string& what, const std::filesystem::path& path)
{
    throw std::system_error(errno, std::generic_category(), what + ' ' + path.string());
}

/// Returns FILE for 0, then FILE.1, FILE.2.
std::filesystem::path numbered(const std::filesystem::path& path, int number)
{
    std::filesystem::path name = path;
    if (number > 0) {
        name += '.' + std::to_string(number);
    }
    return name;
}

int next_number(const std::filesystem::path& path)
{
    int number = 0;
    while (std::filesystem::exists(numbered(path, number))) {
        ++number;
    }
    return number;
}

std::string read_end(int file, std::uint64_t size, std::uint64_t bytes,
                     const std::filesystem::path& path)
{
    std::string text(bytes, '\0');
    std::uint64_t done = 0;
    while (done < bytes) {
        const ssize_t count = ::pread(file, text.data() + done, bytes - done,
                                      static_cast<off_t>(size - bytes + done));
        if (count <= 0) {
            fail("cannot read", path);
        }
        done += static_cast<std::uint64_t>(count);
    }
    return text;
}

AuditTail tail_of_file(int file, std::uint64_t size, const std::filesystem::path& path)
{
    for (std::uint64_t piece = 65536;; piece *= 2) {
        const std::uint64_t bytes = std::min(piece, size);
        const std::string text = read_end(file, size, bytes, path);
        if (auto tail = find_audit_tail(text, bytes == size)) {
            tail->bytes += size - bytes;
            return *tail;
        }
    }
}

/// Returns the start of the line that ends before `end`.
std::size_t line_begin(std::string_view text, std::size_t end)
{
    return end < 2 ? 0 : text.rfind('\n', end - 2) + 1;
}

}  // namespace

std::optional<AuditTail> find_audit_tail(std::string_view text, bool whole)
{
    std::size_t end = text.rfind('\n') + 1;
    for (int refused = 0; end > 0; ++refused) {
        const std::size_t begin = line_begin(text, end);
        if (begin == 0 && !whole) {
            return std::nullopt;
        }
        if (auto position = position_of_audit_line(text.substr(begin, end - 1 - begin))) {
            return AuditTail{end, position};
        }
        if (refused == 1) {
            throw std::runtime_error("this is no audit file, or it is damaged");
        }
        end = begin;
    }
    if (!whole) {
        return std::nullopt;
    }
    // No line is complete: then the first line must be the torn one.
    const std::size_t compared = std::min(text.size(), audit_line_begin.size());
    if (text.substr(0, compared) != audit_line_begin.substr(0, compared)) {
        throw std::runtime_error("this is no audit file");
    }
    return AuditTail{};
}

AuditFile::AuditFile(const std::filesystem::path& path) : first_path_(path)
{
    try {
        open(numbered(path, std::max(0, next_number(path) - 1)));
    } catch (...) {
        close();
        throw;
    }
}

AuditFile::~AuditFile()
{
    close();
}

void AuditFile::open(const std::filesystem::path& path)
{
    path_ = path;
    file_ = ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0) {
        fail("cannot open", path);
    }
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
        fail("another process writes", path);
    }
    const std::uint64_t size = std::filesystem::file_size(path);
    try {
        const AuditTail tail = tail_of_file(file_, size, path);
        position_ = tail.position;
        torn_bytes_ = size - tail.bytes;
    } catch (const std::runtime_error& error) {
        throw std::runtime_error(path.string() + ": " + error.what() + "; nothing was changed");
    }
    if (torn_bytes_ > 0 && ::ftruncate(file_, static_cast<off_t>(size - torn_bytes_)) != 0) {
        fail("cannot truncate", path);
    }
}

void AuditFile::close() noexcept
{
    if (file_ >= 0) {
        ::close(file_);
        file_ = -1;
    }
}

void AuditFile::append(const std::string& line, const keywatch::Position& position)
{
    const std::string bytes = line + '\n';
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t count = ::write(file_, bytes.data() + done, bytes.size() - done);
        if (count < 0 && errno != EINTR) {
            fail("cannot write to", path_);
        }
        done += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    }
    // Flush each line, so that even after a power cut only the end of the last line can be missing.
    if (::fdatasync(file_) != 0) {
        fail("cannot write to", path_);
    }
    position_ = position;
}

void AuditFile::begin_successor()
{
    if (position_) {
        const std::filesystem::path next = numbered(first_path_, next_number(first_path_));
        close();
        open(next);
    }
}

}  // namespace system_monitor
