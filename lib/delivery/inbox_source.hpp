// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "batch.hpp"
#include "delivery_context.hpp"

#include "watch/delivery_fsm.hpp"
#include "watch/inbox.hpp"

#include <optional>

namespace keywatch::delivery {

/// Holds what was taken from the inbox of a watch, besides the batch.
struct InboxTaken {
    watch::Signals signals;
    watch::DeliveryFsm::InboxTaken report;
};

/// Takes everything from the inbox of a watch into the batch, except what was delivered before. For
/// `Overflow::latest`, applies the predicate and coalesces. If `is_discarded` is true, the batch
/// stays empty: what is taken will not be delivered. Used by the worker.
InboxTaken take_inbox(DeliveryContext& context, bool is_discarded, Batch& batch);
/// Same as `take_inbox` if the inbox has no entries. Returns nothing otherwise.
std::optional<InboxTaken> take_if_empty(DeliveryContext& context, Batch& batch);

}  // namespace keywatch::delivery
