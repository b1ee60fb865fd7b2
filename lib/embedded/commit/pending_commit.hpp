// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "embedded/transaction/write_set.hpp"
#include "storage/format/catalogue.hpp"
#include "storage/format/history_record.hpp"

#include <keywatch/message.hpp>
#include <keywatch/position.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keywatch::embedded {

/// A transaction that was executed and is to be made durable.
struct PendingCommit {
    /// 0 if it changed nothing, and only waits until what it has read is durable.
    Revision revision = 0;
    Time time{};
    storage::Totals totals;
    std::shared_ptr<const CommitRecord> record;  ///< null if the sink does not want it
    std::vector<storage::CatalogueChange> catalogue;
    std::vector<std::string> orphans;  ///< prefixes of keys that are no longer needed
    storage::BucketId next_bucket = 0;
    std::shared_ptr<const WriteSet> writes;
    std::size_t bytes = 0;
    std::optional<Time> earliest_deadline;  ///< the earliest one that was set
    std::vector<Revision> unpins;           ///< former positions of cursors
    std::size_t expired = 0;                ///< number of keys removed because they expired
    bool may_expire = false;                ///< a key may have a deadline, so the time counts
};

}  // namespace keywatch::embedded
