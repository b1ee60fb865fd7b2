// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <leveldb/env.h>

#include <cstdint>
#include <string>

namespace keywatch::storage {

/// Reads the first `size` bytes of a table file, and throws `damaged` if LevelDB cannot have
/// written it: every checksum must be correct, the blocks must follow each other and decode, and
/// the keys must ascend. LevelDB asserts some of that. So a file from an untrusted source, whose
/// checksums may have been computed to match, must be checked before LevelDB reads it.
///
/// A file without the end of a table is skipped: it was still being written, and no manifest names
/// it.
void walk_table(leveldb::Env& env, const std::string& name, std::uint64_t size);

}  // namespace keywatch::storage
