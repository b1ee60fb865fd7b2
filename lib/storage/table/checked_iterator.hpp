// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <leveldb/iterator.h>

#include <exception>
#include <memory>

namespace keywatch::storage {

/// An iterator of LevelDB that throws if something could not be read, instead of skipping it:
/// `damaged`, or `storage_failed` with the system's reason. From then on it is not valid, and every
/// move throws the same error.
class CheckedIterator final : public leveldb::Iterator {
public:
    explicit CheckedIterator(std::unique_ptr<leveldb::Iterator> base);
    ~CheckedIterator() override;

    bool Valid() const override { return !failure_ && base_->Valid(); }
    void SeekToFirst() override;
    void SeekToLast() override;
    void Seek(const leveldb::Slice& target) override;
    void Next() override;
    void Prev() override;
    leveldb::Slice key() const override { return base_->key(); }
    leveldb::Slice value() const override { return base_->value(); }
    leveldb::Status status() const override { return base_->status(); }

private:
    template <class Move>
    void move(Move move);

    const std::unique_ptr<leveldb::Iterator> base_;
    std::exception_ptr failure_;
};

}  // namespace keywatch::storage
