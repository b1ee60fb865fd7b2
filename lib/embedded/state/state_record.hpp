// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "engine/engine.hpp"

#include <keywatch/message.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace keywatch::engine {

/// Makes a part of a state into a commit: copies messages and what their views point to.
class StateRecord {
public:
    /// `used`: see StateStream::next.
    StateRecord(const SliceLimits& limits, std::shared_ptr<const CommitRecord> used);

    /// Messages are numbered from `first_index` on.
    void begin(Revision revision, Time time, std::uint32_t first_index);
    /// False if that would be more than the limits allow; one always fits.
    bool add(const Message& message, std::string_view bucket);
    bool empty() const noexcept { return record_->messages.empty(); }

    /// The commit, and the number of the next message. Nothing can be added any more.
    std::shared_ptr<const CommitRecord> take() noexcept { return std::move(record_); }
    std::uint32_t next_index() const noexcept { return next_index_; }

private:
    void make_room(std::size_t bytes);
    std::string_view copy(std::string_view bytes);

    const SliceLimits limits_;
    std::shared_ptr<CommitRecord> record_;
    std::uint32_t next_index_ = 0;
};

}  // namespace keywatch::engine
