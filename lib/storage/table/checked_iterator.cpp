// SPDX-License-Identifier: BSL-1.0
#include "checked_iterator.hpp"

#include "storage/failure.hpp"

#include <utility>

namespace keywatch::storage {

CheckedIterator::CheckedIterator(std::unique_ptr<leveldb::Iterator> base) : base_(std::move(base))
{
}

CheckedIterator::~CheckedIterator() = default;

/// Moves the iterator and checks all reads. The status is checked only at an end, because it visits
/// every merged iterator.
template <class Move>
void CheckedIterator::move(Move move)
{
    if (failure_) {
        std::rethrow_exception(failure_);
    }
    try {
        const ReadCheck reads;
        move();
        reads.check(base_->Valid() ? leveldb::Status::OK() : base_->status());
    } catch (...) {
        failure_ = std::current_exception();
        throw;
    }
}

void CheckedIterator::SeekToFirst()
{
    move([this] { base_->SeekToFirst(); });
}

void CheckedIterator::SeekToLast()
{
    move([this] { base_->SeekToLast(); });
}

void CheckedIterator::Seek(const leveldb::Slice& target)
{
    move([&] { base_->Seek(target); });
}

void CheckedIterator::Next()
{
    move([this] { base_->Next(); });
}

void CheckedIterator::Prev()
{
    move([this] { base_->Prev(); });
}

}  // namespace keywatch::storage
