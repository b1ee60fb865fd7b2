// SPDX-License-Identifier: BSL-1.0
#include "bulk_buffer.hpp"

namespace [[gnu::visibility("default")]] keywatch {

void BulkBuffer::put(std::string_view bucket, std::string_view key, std::string_view value,
                     std::optional<std::chrono::milliseconds> ttl)
{
    add(bucket, key, value, false, ttl);
}

void BulkBuffer::erase(std::string_view bucket, std::string_view key)
{
    add(bucket, key, {}, true, std::nullopt);
}

void BulkBuffer::add(std::string_view bucket, std::string_view key, std::string_view value,
                     bool erase, std::optional<std::chrono::milliseconds> ttl)
{
    const Write write{bytes_.size(), key.size(), value.size(), bucket_number(bucket), erase, ttl};
    writes_.push_back(write);
    try {
        bytes_ += key;
        bytes_ += value;
    } catch (...) {
        bytes_.resize(write.at);
        writes_.pop_back();
        throw;
    }
}

std::uint32_t BulkBuffer::bucket_number(std::string_view name)
{
    if (!writes_.empty() && names_[writes_.back().bucket] == name) {
        return writes_.back().bucket;
    }
    const auto found = numbers_.find(name);
    if (found != numbers_.end()) {
        return found->second;
    }
    const auto number = static_cast<std::uint32_t>(names_.size());
    names_.emplace_back(name);
    numbers_.emplace(name, number);
    return number;
}

std::size_t BulkBuffer::apply(Transaction& transaction, std::size_t first,
                              const Limits& limits) const
{
    std::optional<BTree> tree;
    std::size_t used = 0;
    std::size_t done = first;
    for (; done < writes_.size() && used < limits.most_bytes; ++done) {
        const Write& write = writes_[done];
        if (!tree || write.bucket != writes_[done - 1].bucket) {
            tree = transaction.btree(names_[write.bucket]);
        }
        const std::size_t taken = apply_one(*tree, write, limits, done == first);
        if (taken == 0) {
            break;
        }
        used += taken;
    }
    return done - first;
}

/// Returns the number of bytes counted. Returns 0 if the write was not applied, because it is too
/// large to share a transaction.
std::size_t BulkBuffer::apply_one(BTree& tree, const Write& write, const Limits& limits,
                                  bool alone) const
{
    const std::string_view bytes(bytes_);
    const std::string_view key = bytes.substr(write.at, write.key_bytes);
    std::size_t counted = key.size() + write.value_bytes + overhead;
    std::optional<std::string> previous;
    if (write.erase || limits.with_previous) {
        // The message will contain the previous value.
        previous = tree.get(key);
        counted += previous ? previous->size() : 0;
    }
    if (counted > limits.most_bytes && !alone) {
        return 0;
    }
    const std::string_view value = bytes.substr(write.at + write.key_bytes, write.value_bytes);
    if (write.ttl) {
        tree.put(key, value, *write.ttl);
    } else if (!write.erase) {
        tree.put(key, value);
    } else if (previous) {
        tree.erase(key);
    }
    return counted;
}

}  // namespace keywatch
