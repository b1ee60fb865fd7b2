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
/// LevelDB's iterators skip data that they cannot read and stay valid, and LevelDB uses a table
/// without its filter if the filter cannot be read. All reads run on the calling thread, so
/// comparing `count()` before and after a use of LevelDB shows whether something was skipped.
///
/// An IOError status means that the system refused the read. Every other failure is damage.
class FailedReads {
public:
    static std::uint64_t count() noexcept { return detail::failed_reads; }
    /// Returns the newest failure, or OK if there is none.
    static leveldb::Status last();
    static void note(const leveldb::Status& status);
};

}  // namespace keywatch::storage
