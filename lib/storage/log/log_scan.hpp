// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "log_format.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace keywatch::storage {

/// How far a log can be believed: up to the first fragment that is not as it was written, or that
/// has no place where it is. Fragments after that are not looked at, even if they are right: a
/// power cut may lose a page and keep later ones.
class LogScan {
public:
    /// Whether a record belongs where it is. `beginning`: at most `kept` bytes of it. `size`: of
    /// all of it.
    using Belongs = std::function<bool(std::string_view beginning, std::size_t size)>;

    LogScan(std::size_t kept, Belongs belongs) : kept_(kept), belongs_(std::move(belongs)) {}

    /// Takes the next block, which is shorter than others only at the end of the file. Returns how
    /// many bytes of it are believed. Not all: the log has ended.
    std::size_t add(std::string_view block);

    bool ended() const noexcept { return ended_; }
    /// Whether what is believed ends within a record.
    bool in_record() const noexcept { return in_record_; }

private:
    bool take(const LogFragment& fragment);

    const std::size_t kept_;
    const Belongs belongs_;
    bool ended_ = false;
    bool in_record_ = false;
    std::string record_;
    std::size_t size_ = 0;
};

inline bool is_zeros(std::string_view bytes)
{
    return bytes.find_first_not_of('\0') == std::string_view::npos;
}

}  // namespace keywatch::storage
