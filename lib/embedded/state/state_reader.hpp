// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "begun_transactions.hpp"

#include "embedded/monotonic_clock.hpp"
#include "engine/engine.hpp"
#include "storage/store.hpp"
#include "structures/scan/state_walk.hpp"

#include <keywatch/selector.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keywatch::engine {

/// Reads what selectors want of one store snapshot, part by part. Between two parts it holds on to
/// nothing but the snapshot.
///
/// A key is gone here from the same time on as it is for all commits behind the snapshot, or a
/// later one: see BegunTransactions.
class StateReader {
public:
    StateReader(const storage::Store& store, const MonotonicClock& clock,
                const BegunTransactions& begun, const Selectors& selectors);

    Revision revision() const noexcept { return revision_; }
    /// That of the commit which the snapshot shows last.
    Time time() const noexcept { return time_; }

    /// The next messages, at least one, as a commit; null if there are none any more. `used`: see
    /// StateStream::next.
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
    Time now_;  ///< when things have expired
    const std::unique_ptr<storage::StoreSnapshot> snapshot_;
    const Revision revision_;
    Time time_;

    /// Without it, all that there are are wanted.
    const std::optional<std::vector<std::string>> names_;
    std::size_t next_name_ = 0;    ///< of all structures: one after the other
    std::string next_bucket_key_;  ///< where the catalogue goes on
    std::string bucket_;
    std::unique_ptr<structures::StateWalk> walk_;  ///< in the bucket; null: in none
    std::optional<Message> created_;               ///< comes first
    std::uint32_t next_index_ = 0;
};

}  // namespace keywatch::engine
