// SPDX-License-Identifier: BSL-1.0
#include "durable_catalogue.hpp"

#include <mutex>

namespace keywatch::embedded {

void DurableCatalogue::begin_change()
{
    const std::unique_lock lock(mutex_);
    version_.fetch_add(1, std::memory_order_acq_rel);
}

void DurableCatalogue::end_change(const std::vector<storage::CatalogueChange>& changes)
{
    const std::unique_lock lock(mutex_);
    catalogue_.apply(changes);
    version_.fetch_add(1, std::memory_order_acq_rel);
}

}  // namespace keywatch::embedded
