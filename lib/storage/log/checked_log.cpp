// SPDX-License-Identifier: BSL-1.0
#include "checked_log.hpp"

#include <cassert>
#include <cstring>
#include <utility>

namespace keywatch::storage {

CheckedLog::CheckedLog(std::string name, std::unique_ptr<leveldb::SequentialFile> file,
                       std::size_t kept)
    : name_(std::move(name)),
      file_(std::move(file)),
      scan_(kept, [this](std::string_view beginning, std::size_t size) {
          return belongs(beginning, size);
      })
{
}

void CheckedLog::damaged(const char* why)
{
    damage_ = leveldb::Status::Corruption(name_, why);
}

/// LevelDB's reader requests one block at a time. It takes a shorter result for the end of the
/// file.
leveldb::Status CheckedLog::Read(std::size_t size, leveldb::Slice* result, char* scratch)
{
    assert(size == log_block_bytes);
    static_cast<void>(size);
    *result = leveldb::Slice();
    if (scan_.ended() || !damage_.ok()) {
        return damage_;
    }
    std::string_view block;
    if (leveldb::Status status = read_block(scratch, block); !status.ok()) {
        return status;
    }
    const std::size_t believed = scan_.add(block);
    if (scan_.ended()) {
        if (leveldb::Status status = read_rest(block, believed); !status.ok()) {
            return status;
        }
    }
    *result = leveldb::Slice(block.data(), believed);
    return leveldb::Status::OK();
}

leveldb::Status CheckedLog::Skip(std::uint64_t)
{
    return leveldb::Status::NotSupported(name_, "can only be read from its beginning");
}

/// Reads one block, in several steps if necessary: a read of the file may return fewer bytes than
/// requested even if more follow.
leveldb::Status CheckedLog::read_block(char* scratch, std::string_view& block)
{
    std::size_t got = 0;
    while (got < log_block_bytes) {
        leveldb::Slice piece;
        leveldb::Status status = file_->Read(log_block_bytes - got, &piece, scratch + got);
        if (!status.ok()) {
            return status;
        }
        if (piece.empty()) {
            break;
        }
        if (piece.data() != scratch + got) {
            std::memmove(scratch + got, piece.data(), piece.size());
        }
        got += piece.size();
    }
    block = std::string_view(scratch, got);
    return leveldb::Status::OK();
}

leveldb::Status CheckedLog::read_rest(std::string_view block, std::size_t believed)
{
    bool clean = !scan_.in_record() && is_zeros(block.substr(believed));
    examine_tail(block, believed);
    std::string scratch(log_block_bytes, '\0');
    while (damage_.ok() && block.size() == log_block_bytes) {
        if (leveldb::Status status = read_block(scratch.data(), block); !status.ok()) {
            return status;
        }
        clean = clean && is_zeros(block);
        examine_tail(block, 0);
    }
    leveldb::Status status = damage_.ok() ? finish(clean) : damage_;
    return status.ok() ? damage_ : status;
}

}  // namespace keywatch::storage
