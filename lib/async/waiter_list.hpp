// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "waiter.hpp"

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace keywatch::async {

/// Coroutines that wait until a number is reached, or for the end. Each can be cancelled (all
/// types), and then fails with `operation_aborted`.
///
/// Thread safety: all members, from any thread.
class WaiterList : public std::enable_shared_from_this<WaiterList> {
public:
    using Id = std::uint64_t;

    /// A waiter of a number that was reached, or of a closed list, is completed at once.
    Id add(Waiter waiter, std::uint64_t number = 0);
    /// Fails one of them; nothing if it is gone.
    void fail(Id id, std::exception_ptr error);
    /// Completes those of this number and less, now and from now on.
    void reach(std::uint64_t number);
    /// Completes all, now and from now on; with an exception if one is given.
    void close(std::exception_ptr result);
    bool empty() const;
    /// Whether somebody waits for just this number.
    bool awaits(std::uint64_t number) const;
    /// Hands over those who wait, to be destroyed.
    std::vector<Waiter> abandon();

private:
    struct Waiting {
        Id id;
        std::uint64_t number;
        Waiter waiter;
    };

    void listen(Waiter& waiter, Id id);

    mutable std::mutex mutex_;
    std::vector<Waiting> waiting_;
    Id next_id_ = 1;
    std::optional<std::uint64_t> reached_;
    bool closed_ = false;
    std::exception_ptr result_;
};

}  // namespace keywatch::async
