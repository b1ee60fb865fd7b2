// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "waiter.hpp"

#include "values/mutex.hpp"

#include <compare>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace keywatch::async {

/// A list of coroutines that wait until a number is reached, or until the list is closed. Each wait
/// can be cancelled (all cancellation types), and then fails with `operation_aborted`.
///
/// With n waiters, adding, failing and cancelling one costs O(log n). The cost of reaching a number
/// is that of the waiters it completes. Many waiters are completed by their own executors, in
/// slices.
///
/// Thread safety: all members may be called from any thread.
class WaiterList : public std::enable_shared_from_this<WaiterList> {
public:
    /// Identifies a waiter. Ids are ordered by their numbers.
    struct Id {
        std::uint64_t number = 0;
        /// Counts from 1 in the order of arrival. 0 means none.
        std::uint64_t place = 0;

        explicit operator bool() const noexcept { return place != 0; }
        friend auto operator<=>(const Id&, const Id&) = default;
    };

    /// Adds a waiter. If its number was reached or the list is closed, then the waiter is completed
    /// at once and the returned id is empty.
    Id add(Waiter waiter, std::uint64_t number = 0);
    /// Fails a waiter with this error. Does nothing if it has been completed.
    void fail(Id id, std::exception_ptr error) noexcept;
    /// Completes the waiters of this number and of lower ones, now and from now on.
    void reach(std::uint64_t number) noexcept;
    /// Completes all waiters, now and from now on, with an exception if one is passed.
    void close(std::exception_ptr result) noexcept;
    bool empty() const;
    /// Returns the lowest number above this one that is waited for.
    std::optional<std::uint64_t> next_after(std::uint64_t number) const;

private:
    using Waiting = std::map<Id, Waiter>;

    void listen(Waiter& waiter, Id id);
    /// Removes and returns the waiters of this number and of lower ones.
    Waiting take_through(std::uint64_t number) noexcept KEYWATCH_REQUIRES(mutex_);

    mutable Mutex mutex_;
    Waiting waiting_ KEYWATCH_GUARDED_BY(mutex_);
    std::uint64_t places_ KEYWATCH_GUARDED_BY(mutex_) = 0;
    std::optional<std::uint64_t> reached_ KEYWATCH_GUARDED_BY(mutex_);
    bool closed_ KEYWATCH_GUARDED_BY(mutex_) = false;
    std::exception_ptr result_ KEYWATCH_GUARDED_BY(mutex_);
};

}  // namespace keywatch::async
