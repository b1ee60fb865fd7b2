// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <leveldb/env.h>

#include <string>

namespace keywatch::storage {

/// The operating system's files, where LevelDB's own Env does not serve.
///
/// Files for random access are read with `pread`. LevelDB's Env maps them: then a read error of the
/// disk is a signal, blocks never enter the block cache, and a file that becomes shorter kills the
/// process.
class DiskEnv final : public leveldb::EnvWrapper {
public:
    DiskEnv();
    ~DiskEnv() override;

    leveldb::Status NewRandomAccessFile(const std::string& name,
                                        leveldb::RandomAccessFile** file) override;
};

/// The one of this process. It has no state.
leveldb::Env& disk_env();

}  // namespace keywatch::storage
