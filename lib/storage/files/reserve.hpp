// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "location.hpp"

#include "values/mutex.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace keywatch::storage {

/// Disk space reserved for the time when the disk is full: a file without meaningful contents. An
/// open that finds no free space, or leaves little, empties the file. The space is then available
/// to write out the logs, and for transactions that delete.
class Reserve {
public:
    static constexpr std::string_view name = "KEYWATCH.reserve";

    /// `wanted`: the size of the reserve, or 0 for none. A reserve smaller than `least` is not
    /// created.
    Reserve(const Location& location, std::uint64_t wanted, std::uint64_t least);

    /// Creates or resizes the reserve. It grows to the wanted size, and at most to a quarter of the
    /// free space, its own space included. A reserve that was given up is created again only at its
    /// full size, and only if that leaves as much space free. Errors are ignored.
    void make() noexcept;
    /// Empties the reserve and returns the size it had, or 0 if there is none.
    std::uint64_t give_up() noexcept;
    /// Empties the reserve if less space is free than its own size: the next deletions may need
    /// more.
    void give_up_if_scarce() noexcept;
    /// Restores the reserve at this size, if possible.
    void take_back(std::uint64_t size) noexcept;

    /// Returns the size of the reserve. The object outlives this one.
    std::shared_ptr<const std::atomic<std::uint64_t>> bytes() const noexcept { return bytes_; }

private:
    std::uint64_t size_on_disk() const;
    void allocate(std::uint64_t size) KEYWATCH_REQUIRES(mutex_);
    void remove() KEYWATCH_REQUIRES(mutex_);

    const Location& location_;
    const std::string file_;
    const std::uint64_t wanted_;
    const std::uint64_t least_;
    const std::shared_ptr<std::atomic<std::uint64_t>> bytes_;
    Mutex mutex_;  ///< guards the file as well
    bool given_up_ KEYWATCH_GUARDED_BY(mutex_);
};

}  // namespace keywatch::storage
