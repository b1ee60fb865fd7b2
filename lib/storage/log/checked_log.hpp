// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "log_scan.hpp"

#include <leveldb/env.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace keywatch::storage {

/// A log as LevelDB is to read it: it ends where it can no longer be believed. By itself LevelDB
/// goes on in the next block, and so leaves out what lies between.
///
/// A failed read is returned as it is, never as the end of the file.
class CheckedLog : public leveldb::SequentialFile {
public:
    leveldb::Status Read(std::size_t size, leveldb::Slice* result, char* scratch) final;
    leveldb::Status Skip(std::uint64_t size) final;

protected:
    /// `kept`: how much of the beginning of a record `belongs` wants to see.
    CheckedLog(std::string name, std::unique_ptr<leveldb::SequentialFile> file, std::size_t kept);

    const std::string& name() const noexcept { return name_; }
    /// Makes the read fail that has come to this place.
    void damaged(const char* why);

    /// Whether a record belongs where it is; if not, the log ends before it.
    virtual bool belongs(std::string_view beginning, std::size_t size) = 0;
    /// Sees what is not believed, block by block: it may show that the log is damaged. `from`:
    /// what comes before it in the block is believed.
    virtual void look_behind(std::string_view block, std::size_t from) = 0;
    /// The whole log has been read. `clean`: only zeros follow what is believed.
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
