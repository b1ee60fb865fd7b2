// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "place.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace keywatch::storage {

/// Space on the disk for the time when it is full: a file that holds nothing. An open that finds no
/// room, or leaves little, empties it. So there is room to write out the logs, and for transactions
/// that delete.
///
/// Thread safety: all members, from any thread.
class Reserve {
public:
    static constexpr std::string_view name = "KEYWATCH.reserve";

    /// `wanted`: its size; 0 if there shall be none. One smaller than `least` is not worth it.
    Reserve(const Place& place, std::uint64_t wanted, std::uint64_t least);

    /// Makes it as large as is wanted, from a quarter of the free space at most. One that was given
    /// up is only made again if it can be of its whole size, with as much left. What cannot be done
    /// is not done.
    void make() noexcept;
    /// Empties it, and gives the size that it had; 0 if there is none.
    std::uint64_t give_up() noexcept;
    /// Empties it where less is free than it takes itself: what is deleted next may need more.
    void give_up_if_scarce() noexcept;
    /// Makes it of this size again, if that is possible.
    void take_back(std::uint64_t size) noexcept;

    /// Its size, which outlives this object.
    std::shared_ptr<const std::atomic<std::uint64_t>> bytes() const noexcept { return bytes_; }

private:
    std::uint64_t size_on_disk() const;
    void allocate(std::uint64_t size);
    void remove();

    const Place& place_;
    const std::string file_;
    const std::uint64_t wanted_;
    const std::uint64_t least_;
    const std::shared_ptr<std::atomic<std::uint64_t>> bytes_;
    std::mutex mutex_;  ///< of the file
    bool given_up_;
};

}  // namespace keywatch::storage
