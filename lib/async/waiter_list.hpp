// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "waiter.hpp"

#include <compare>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace keywatch::async {

/// Coroutines that wait until a number is reached, or for the end. Each can be cancelled (all
/// types), and then fails with `operation_aborted`.
///
/// Of n that wait, adding, failing and cancelling one costs O(log n), and reaching a number what it
/// completes. Many are completed by their own executors, bit by bit.
///
/// Thread safety: all members, from any thread.
class WaiterList : public std::enable_shared_from_this<WaiterList> {
public:
    /// Names one of them. They are in order of their numbers.
    struct Id {
        std::uint64_t number = 0;
        /// From 1, in the order of their coming; 0: none.
        std::uint64_t place = 0;

        explicit operator bool() const noexcept { return place != 0; }
        friend auto operator<=>(const Id&, const Id&) = default;
    };

    /// A waiter of a number that was reached, or of a closed list, is completed at once.
    Id add(Waiter waiter, std::uint64_t number = 0);
    /// Fails one of them; nothing if it is gone.
    void fail(Id id, std::exception_ptr error) noexcept;
    /// Completes those of this number and less, now and from now on.
    void reach(std::uint64_t number) noexcept;
    /// Completes all, now and from now on; with an exception if one is given.
    void close(std::exception_ptr result) noexcept;
    bool empty() const;
    /// The lowest number above this one that is waited for.
    std::optional<std::uint64_t> next_after(std::uint64_t number) const;

private:
    using Waiting = std::map<Id, Waiter>;

    void listen(Waiter& waiter, Id id);
    /// With the mutex held.
    Waiting take_through(std::uint64_t number) noexcept;

    mutable std::mutex mutex_;
    Waiting waiting_;
    std::uint64_t places_ = 0;
    std::optional<std::uint64_t> reached_;
    bool closed_ = false;
    std::exception_ptr result_;
};

}  // namespace keywatch::async
