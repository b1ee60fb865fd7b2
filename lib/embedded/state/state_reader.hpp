// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "begun_transactions.hpp"

#include "embedded/monotonic_clock.hpp"
#include "engine/engine.hpp"
#include "storage/store.hpp"
#include "structures/scan/state_scan.hpp"

#include <keywatch/selector.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keywatch::embedded {

/// A reader of what selectors select in one store snapshot, part by part. Between two parts it
/// holds nothing except the snapshot.
///
/// A key that has expired here has also expired for all commits after the snapshot: see
/// BegunTransactions.
class StateReader {
public:
    StateReader(const storage::Store& store, const MonotonicClock& clock,
                const BegunTransactions& begun, const Selectors& selectors);

    Revision revision() const noexcept { return revision_; }
    /// Returns the time of the newest commit in the snapshot.
    Time time() const noexcept { return time_; }

    /// Returns the next messages, at least one, as a commit. Returns null if none remain. `used`:
    /// see StateStream::next.
    std::shared_ptr<const CommitRecord> next(const SliceLimits& limits,
                                             std::shared_ptr<const CommitRecord> used);

private:
    const Message* current();
    void advance();
    bool open_bucket();
    void open(Structure structure, std::string name, storage::BucketId id);
    bool open_next_named();
    bool open_next_stored();

    const storage::Store& store_;
    const Selectors selectors_;
    Time now_;  ///< the time by which keys have expired
    const std::unique_ptr<storage::StoreSnapshot> snapshot_;
    const Revision revision_;
    Time time_;

    /// The names of the selected buckets. If empty, all buckets are selected.
    const std::optional<std::vector<std::string>> names_;
    std::size_t next_name_ = 0;    ///< counts the names of one structure after another
    std::string next_bucket_key_;  ///< where reading of the catalogue continues
    std::string bucket_;
    std::unique_ptr<structures::StateScan> walk_;  ///< position in the bucket, or null
    std::optional<Message> created_;               ///< delivered before the content
    std::uint32_t next_index_ = 0;
};

}  // namespace keywatch::embedded
