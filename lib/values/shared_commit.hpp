// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>

#include <cstddef>
#include <memory>

namespace keywatch {

/// A commit, shared by everything that holds or delivers it.
using SharedCommit = std::shared_ptr<const CommitRecord>;

/// A limit in messages and bytes. A single commit always passes.
struct Budget {
    std::size_t messages = 0;
    std::size_t bytes = 0;

    bool allows(std::size_t more_messages, std::size_t more_bytes) const noexcept
    {
        return more_messages <= messages && more_bytes <= bytes;
    }
};

}  // namespace keywatch
