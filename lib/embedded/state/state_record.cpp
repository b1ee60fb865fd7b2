// SPDX-License-Identifier: BSL-1.0
#include "state_record.hpp"

#include <algorithm>

namespace keywatch::embedded {

namespace {

/// More than a string stores within itself, so the bytes stay in place when the string is moved.
constexpr std::size_t least_bytes = 1024;

}  // namespace

StateRecord::StateRecord(const SliceLimits& limits, std::shared_ptr<const CommitRecord> used)
    : limits_(limits)
{
    // The memory of a single large message is not kept.
    if (used && used->pinned_bytes() <= 2 * limits.bytes) {
        record_ = std::const_pointer_cast<CommitRecord>(std::move(used));  // it was created here
        record_->messages.clear();
        record_->bytes.clear();
    } else {
        record_ = std::make_shared<CommitRecord>();
    }
}

void StateRecord::begin(Revision revision, Time time, std::uint32_t first_index)
{
    record_->revision = revision;
    record_->time = time;
    next_index_ = first_index;
}

bool StateRecord::add(const Message& message, std::string_view bucket)
{
    auto& messages = record_->messages;
    // The elements of one collection share their key, and all messages of a bucket its name.
    const bool same_bucket = !empty() && messages.back().bucket == bucket;
    const bool same_key = !empty() && messages.back().key == message.key;
    const std::size_t more = (same_bucket ? 0 : bucket.size()) +
                             (same_key ? 0 : message.key.size()) + message.value.size();
    const std::size_t pinned =
        record_->bytes.size() + more + (messages.size() + 1) * sizeof(Message);
    if (!empty() && (messages.size() >= limits_.messages || pinned > limits_.bytes)) {
        return false;
    }
    make_room(more);
    Message& added = messages.emplace_back(message);
    added.bucket = same_bucket ? (&added - 1)->bucket : copy(bucket);
    added.key = same_key ? (&added - 1)->key : copy(message.key);
    added.value = copy(message.value);
    added.revision = record_->revision;
    added.index = next_index_++;
    added.time = record_->time;
    added.snapshot = true;
    return true;
}

/// Makes room for more bytes. If it has to move the existing ones, it updates the views of them.
void StateRecord::make_room(std::size_t bytes)
{
    std::pmr::string& old = record_->bytes;
    if (old.capacity() >= least_bytes && old.capacity() - old.size() >= bytes) {
        return;
    }
    std::pmr::string larger;
    larger.reserve(std::max({least_bytes, 2 * old.capacity(), old.size() + bytes}));
    larger = old;
    const auto moved = [&](std::string_view view) {
        return std::string_view(larger.data() + (view.data() - old.data()), view.size());
    };
    for (Message& each : record_->messages) {
        each.bucket = moved(each.bucket);
        each.key = moved(each.key);
        each.value = moved(each.value);
    }
    old = std::move(larger);
}

/// Appends bytes and returns a view of the copy. Precondition: there is room for them.
std::string_view StateRecord::copy(std::string_view bytes)
{
    std::pmr::string& all = record_->bytes;
    const std::size_t at = all.size();
    all.append(bytes);
    return std::string_view(all).substr(at);
}

}  // namespace keywatch::embedded
