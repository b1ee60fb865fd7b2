// SPDX-License-Identifier: BSL-1.0
#include "durable_catalogue.hpp"

#include <mutex>

namespace keywatch::embedded {

void DurableCatalogue::begin_change()
{
    const std::unique_lock lock(mutex_);
    // Relaxed: a snapshot that contains the batch was taken after the store's mutex was unlocked by
    // the write, so its reader sees this version when it compares.
    version_.fetch_add(1, std::memory_order_relaxed);
}

void DurableCatalogue::end_change(const std::vector<storage::CatalogueChange>& changes)
{
    const std::unique_lock lock(mutex_);
    catalogue_.apply(changes);
    version_.fetch_add(1, std::memory_order_release);  // pairs with the load in version()
}

}  // namespace keywatch::embedded
