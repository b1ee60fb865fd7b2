// SPDX-License-Identifier: BSL-1.0
#include "lying_disk.hpp"

#include <memory>

namespace keywatch::test {

using leveldb::Slice;
using leveldb::Status;

class LyingDisk::Log final : public leveldb::WritableFile {
public:
    Log(LyingDisk& disk, leveldb::WritableFile* file) : disk_(disk), file_(file) {}

    Status Append(const Slice& data) override
    {
        if (disk_.lie_ == Lie::torn_append && ++disk_.appends_ == disk_.nth_) {
            file_->Append(Slice(data.data(), data.size() / 2));
            return Status::OK();
        }
        return file_->Append(data);
    }
    Status Sync() override { return disk_.lie_ == Lie::log_syncs ? Status::OK() : file_->Sync(); }
    Status Flush() override { return file_->Flush(); }
    Status Close() override { return file_->Close(); }

private:
    LyingDisk& disk_;
    std::unique_ptr<leveldb::WritableFile> file_;
};

LyingDisk::LyingDisk(leveldb::Env& disk, Lie lie, std::uint64_t nth)
    : EnvWrapper(&disk), disk_(dynamic_cast<storage::Disk&>(disk)), lie_(lie), nth_(nth)
{
}

Status LyingDisk::NewWritableFile(const std::string& name, leveldb::WritableFile** file)
{
    Status status = target()->NewWritableFile(name, file);
    if (status.ok() && name.ends_with(".log")) {
        *file = new Log(*this, *file);
    }
    return status;
}

Status LyingDisk::sync_directory(const std::string& directory)
{
    return disk_.sync_directory(directory);
}

Status LyingDisk::sync_file(const std::string& name)
{
    return lie_ == Lie::log_syncs && name.ends_with(".log") ? Status::OK() : disk_.sync_file(name);
}

}  // namespace keywatch::test
