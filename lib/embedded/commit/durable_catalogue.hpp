// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "storage/format/catalogue.hpp"

#include <atomic>
#include <cstdint>
#include <shared_mutex>
#include <utility>
#include <vector>

namespace keywatch::embedded {

/// The catalogue of what is durable. It is faster to read than the one in the store.
///
/// `version` is odd while a batch that changes the catalogue is being written, and higher after
/// that. So a reader that took a store snapshot at an even version may use this catalogue for the
/// snapshot as long as the version stays the same.
///
/// Thread safety: all members may be called from any thread. There is one writer at a time.
class DurableCatalogue {
public:
    explicit DurableCatalogue(storage::Catalogue catalogue) : catalogue_(std::move(catalogue)) {}

    /// Returns the number of the version. Acquire pairs with the release in end_change(): a store
    /// snapshot that is taken after an even version was read contains the batch that led to it.
    std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }
    /// Call before the batch is written.
    void begin_change();
    /// Call after the batch was written. If that has failed, there are no changes.
    void end_change(const std::vector<storage::CatalogueChange>& changes);

    /// Calls `use(catalogue)` and returns true if the catalogue is still of this version, otherwise
    /// returns false.
    template <class Use>
    bool use_if(std::uint64_t version, Use use) const
    {
        const std::shared_lock lock(mutex_);
        if (version % 2 != 0 || version != this->version()) {
            return false;
        }
        use(catalogue_);
        return true;
    }

private:
    mutable std::shared_mutex mutex_;
    std::atomic<std::uint64_t> version_{0};
    storage::Catalogue catalogue_;
};

}  // namespace keywatch::embedded
