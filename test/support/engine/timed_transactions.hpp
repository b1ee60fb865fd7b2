// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "embedded/transaction/transaction_workspace.hpp"
#include "support/loop/hand_clock.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace keywatch::test {

/// Transactions on one bucket, each durable before the next. There is no sweeper.
class TimedTransactions {
public:
    using Function =
        std::function<void(embedded::TransactionWorkspace&, structures::BucketIndex bucket)>;

    explicit TimedTransactions(Structure structure) : structure_(structure)
    {
        embedded::TransactionWorkspace workspace = next();
        workspace.create_bucket(structure, "b");
        commit(workspace);
    }

    void in_transaction(const Function& fn)
    {
        embedded::TransactionWorkspace workspace = next();
        fn(workspace, workspace.bucket(structure_, "b"));
        commit(workspace);
    }

    /// Returns the keys in the index of deadlines.
    std::vector<std::string> deadlines() const
    {
        std::vector<std::string> keys;
        const auto iterator = store->iterate(nullptr, false);
        for (iterator->Seek("e"); iterator->Valid(); iterator->Next()) {
            const std::string key = iterator->key().ToString();
            if (const auto found = storage::parse_deadline_key(key)) {
                keys.emplace_back(found->key);
            }
        }
        return keys;
    }

    HandClock clock;
    std::unique_ptr<storage::Store> store = storage::Store::open(Options("memory:"));
    std::vector<OwnedMessage> messages;  ///< messages of the last transaction

private:
    embedded::TransactionWorkspace next()
    {
        return {*store, state_, {1 << 20, true, false}, monotonic_};
    }

    void commit(embedded::TransactionWorkspace& workspace)
    {
        storage::Batch batch;
        workspace.write_to(batch);
        store->write(batch, false);
        state_.catalogue.apply(workspace.catalogue_changes());
        state_.next_bucket = workspace.next_bucket();
        storage::Totals totals;
        const std::string record = workspace.record().finish(state_.head, Time{}, totals);
        ++state_.head;
        messages.clear();
        const auto decoded = storage::decode_record(state_.head, record);
        for (const Message& each : decoded->messages) {
            messages.emplace_back(each);
        }
    }

    Structure structure_;
    embedded::WriterState state_;
    embedded::MonotonicClock monotonic_{clock.clock()};
};

}  // namespace keywatch::test
