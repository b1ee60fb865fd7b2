// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "storage/store.hpp"
#include "support/storage/power_loss_env.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

namespace keywatch::test {

/// Returns the code of the exception that `function` throws; nothing if it does not throw.
template <class Function>
std::optional<Error> error_of(Function function)
{
    try {
        function();
    } catch (const boost::system::system_error& error) {
        if (error.code().category() == error_category()) {
            return static_cast<Error>(error.code().value());
        }
        throw;
    }
    return std::nullopt;
}

/// Writes commits in the same way as the engine: data, and a record or else the head key.
class Committer {
public:
    explicit Committer(storage::Store& store)
        : store_(&store),
          head_(store.head_at_open()),
          totals_(store.history_at_open().newest_totals),
          time_(std::max(store.latest_time_at_open(), Time{}))
    {
    }

    Revision head() const { return head_; }
    const storage::Totals& totals() const { return totals_; }
    Time time() const { return time_; }
    void set_time(Time time) { time_ = time; }

    /// Commits a put of `r<revision>`, and further messages up to `messages`.
    Revision commit(std::size_t messages = 1, std::size_t value_bytes = 10, bool sync = false)
    {
        storage::Batch batch;
        add(batch, messages, value_bytes);
        store_->write(batch, sync);
        return head_;
    }

    /// Adds a commit to a batch that the caller writes.
    void add(storage::Batch& batch, std::size_t messages = 1, std::size_t value_bytes = 10)
    {
        storage::RecordWriter writer;
        const std::string key = "r" + std::to_string(head_ + 1);
        const std::string value(value_bytes, 'v');
        Message message;
        message.key = key;
        message.value = value;
        const std::uint32_t bucket = writer.bucket("users");
        for (std::size_t i = 0; i < messages; ++i) {
            writer.add(bucket, message);
        }
        batch.put(storage::data_prefix(1) + key, value);
        storage::Store::put_record(batch, head_ + 1, writer.finish(head_, time_, totals_));
        ++head_;
    }

    Revision commit_without_history()
    {
        ++head_;
        storage::Batch batch;
        batch.put(storage::data_prefix(1) + "r" + std::to_string(head_), "v");
        batch.put(storage::head_key, storage::encode_number(head_));
        store_->write(batch, false);
        totals_ = {};
        return head_;
    }

private:
    storage::Store* store_;
    Revision head_;
    storage::Totals totals_;
    Time time_;
};

/// Returns true if the data of a commit of `Committer` is in the store.
inline bool has_data(const storage::Store& store, Revision revision)
{
    return store.get(storage::data_prefix(1) + "r" + std::to_string(revision), nullptr).has_value();
}

inline std::vector<Revision> revisions(const HistorySlice& slice)
{
    std::vector<Revision> revisions;
    for (const auto& commit : slice.commits) {
        revisions.push_back(commit->revision);
    }
    return revisions;
}

inline std::vector<Revision> range(Revision first, Revision last)
{
    std::vector<Revision> revisions(last + 1 - first);
    std::iota(revisions.begin(), revisions.end(), first);
    return revisions;
}

/// Returns limits that are never reached.
inline HistoryLimits keep_all()
{
    HistoryLimits limits;
    limits.age = std::chrono::seconds::max();
    limits.bytes = limits.commits = limits.hard_bytes = UINT64_MAX;
    return limits;
}

/// A store that can be reopened on the same files.
struct ReopenableStore {
    PowerLossEnv disk;
    std::unique_ptr<storage::Store> store = storage::Store::open(Options("/db"), &disk);
    Committer committer{*store};
    storage::HistoryState state = store->history_at_open();

    void commit(int commits, std::size_t messages = 1, std::size_t value_bytes = 10)
    {
        for (int i = 0; i < commits; ++i) {
            committer.commit(messages, value_bytes);
        }
        state.newest = committer.head();
        state.newest_totals = committer.totals();
        if (state.oldest == 1) {
            state.oldest_time = store->read_history(0, 1, {}).commits.at(0)->time;
        }
    }

    void reopen()
    {
        store.reset();
        store = storage::Store::open(Options("/db"), &disk);
        committer = Committer(*store);
        state = store->history_at_open();
    }

    std::vector<Revision> all(Revision after = 0) const
    {
        return revisions(store->read_history(after, UINT64_MAX, {SIZE_MAX, SIZE_MAX}));
    }

    std::size_t stored_records() const
    {
        std::size_t records = 0;
        const auto iterator = store->iterate(nullptr, false);
        for (iterator->Seek("h"); iterator->Valid() && iterator->key()[0] == 'h';
             iterator->Next()) {
            ++records;
        }
        return records;
    }
};

}  // namespace keywatch::test
