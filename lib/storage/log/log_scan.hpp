// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "log_format.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace keywatch::storage {

/// Finds the end of the valid part of a log: the first fragment that is damaged or does not belong
/// where it is. Later fragments are ignored, even if they are intact: a power cut may lose a page
/// and keep later ones.
class LogScan {
public:
    /// A predicate that is true if a record is valid at its place. `beginning` contains at most
    /// `kept` bytes of the record, `size` is its full size.
    using Belongs = std::function<bool(std::string_view beginning, std::size_t size)>;

    LogScan(std::size_t kept, Belongs belongs) : kept_(kept), belongs_(std::move(belongs)) {}

    /// Takes the next block, which is shorter than the others only at the end of the file. Returns
    /// the number of valid bytes in it. If that is not the whole block, the log has ended.
    std::size_t add(std::string_view block);

    bool ended() const noexcept { return ended_; }
    /// Returns true if the valid part ends within a record.
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
