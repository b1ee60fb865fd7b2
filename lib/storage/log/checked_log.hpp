// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "log_scan.hpp"

#include <leveldb/env.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace keywatch::storage {

/// A log file that ends before its first invalid record. LevelDB on its own would continue in the
/// next block and so skip the records in between.
///
/// A failed read is returned as an error, never as the end of the file.
class CheckedLog : public leveldb::SequentialFile {
public:
    leveldb::Status Read(std::size_t size, leveldb::Slice* result, char* scratch) final;
    leveldb::Status Skip(std::uint64_t size) final;

protected:
    /// `kept`: the maximum number of bytes from the beginning of a record that `belongs` receives.
    CheckedLog(std::string name, std::unique_ptr<leveldb::SequentialFile> file, std::size_t kept);

    const std::string& name() const noexcept { return name_; }
    /// Makes the current read, and every later one, fail with this reason.
    void damaged(const char* why);

    /// Returns true if a record of `size` bytes is valid at its place. If not, the log ends before
    /// it.
    virtual bool belongs(std::string_view beginning, std::size_t size) = 0;
    /// Examines the bytes after the valid part of the log, block by block, and may call `damaged`.
    /// The bytes of `block` before `from` belong to the valid part.
    virtual void examine_tail(std::string_view block, std::size_t from) = 0;
    /// Called after the whole log has been read, unless it is damaged. `clean` is true if the valid
    /// part does not end within a record and only zeros follow it.
    virtual leveldb::Status finish(bool clean) = 0;

private:
    leveldb::Status read_block(char* scratch, std::string_view& block);
    leveldb::Status read_rest(std::string_view block, std::size_t believed);

    const std::string name_;
    const std::unique_ptr<leveldb::SequentialFile> file_;
    LogScan scan_;
    leveldb::Status damage_;
};

}  // namespace keywatch::storage
