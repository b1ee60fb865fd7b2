// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "engine/engine.hpp"

#include <keywatch/message.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace keywatch::embedded {

/// A builder that turns a part of a state into a commit. It copies messages and what their views
/// refer to.
class StateRecord {
public:
    /// `used`: see StateStream::next.
    StateRecord(const SliceLimits& limits, std::shared_ptr<const CommitRecord> used);

    /// Begins a commit. Its messages are numbered from `first_index` on.
    void begin(Revision revision, Time time, std::uint32_t first_index);
    /// Adds a message. Returns false if that would exceed the limits. The first message always
    /// fits.
    bool add(const Message& message, std::string_view bucket);
    bool empty() const noexcept { return record_->messages.empty(); }

    /// Returns the commit. Nothing can be added after that.
    std::shared_ptr<const CommitRecord> take() noexcept { return std::move(record_); }
    /// Returns the index of the next message.
    std::uint32_t next_index() const noexcept { return next_index_; }

private:
    void make_room(std::size_t bytes);
    std::string_view copy(std::string_view bytes);

    const SliceLimits limits_;
    std::shared_ptr<CommitRecord> record_;
    std::uint32_t next_index_ = 0;
};

}  // namespace keywatch::embedded
