// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <leveldb/status.h>

#include <cstdint>

namespace keywatch::storage {

namespace detail {
extern constinit thread_local std::uint64_t failed_reads;
}

/// The reads of table files that failed on the current thread.
///
/// LevelDB's iterators skip what they cannot read and stay valid, and a table whose filter cannot
/// be read is used without it. All reads happen on the thread that asks for them, so a comparison
/// of `count()` before and after any use of LevelDB tells whether something was skipped.
///
/// A status that is an IOError is the system's refusal; every other one is damage.
class FailedReads {
public:
    static std::uint64_t count() noexcept { return detail::failed_reads; }
    /// The newest one; success if there is none.
    static leveldb::Status last();
    static void note(const leveldb::Status& status);
};

}  // namespace keywatch::storage
