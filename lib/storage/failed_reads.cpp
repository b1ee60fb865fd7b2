// SPDX-License-Identifier: BSL-1.0
#include "failed_reads.hpp"

namespace keywatch::storage {

constinit thread_local std::uint64_t detail::failed_reads = 0;

namespace {

thread_local leveldb::Status last_failure;

}  // namespace

leveldb::Status FailedReads::last()
{
    return last_failure;
}

void FailedReads::note(const leveldb::Status& status)
{
    ++detail::failed_reads;  // first, as the copy may run out of memory
    last_failure = status;
}

}  // namespace keywatch::storage
