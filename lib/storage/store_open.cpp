// SPDX-License-Identifier: BSL-1.0
#include "failure.hpp"
#include "history_reader.hpp"
#include "store_impl.hpp"

#include <algorithm>
#include <limits>
#include <random>
#include <utility>

namespace keywatch::storage {

/// What open() does with a database that LevelDB has opened: finds out what is in it, and whether
/// that can be.
class Store::Opening {
public:
    explicit Opening(Store& store) : store_(store), impl_(*store.impl_) {}

    void run()
    {
        read_catalogue();
        read_head();
        read_history();
        read_identity();
        if (impl_.environment.close_failed()) {
            fail(Error::open_failed, "a file could not be synced");
        }
    }

private:
    template <class Visit>
    void visit_area(char area, Visit visit) const;
    BucketId bucket_id(std::string_view value) const;
    void read_catalogue();
    void read_head();
    void read_history();
    void read_ends();
    void check_newest(Revision newest) const;
    Revision first_to_check(Revision newest, std::uint64_t newest_bytes) const;
    void read_identity();
    bool empty() const;

    Store& store_;
    Impl& impl_;
};

namespace {

/// How much of the newest history is looked at before the store is believed to be whole.
constexpr Revision checked_records = 1024;
constexpr std::uint64_t checked_bytes = std::uint64_t{64} << 20;

HistoryId random_history_id()
{
    std::random_device random;
    HistoryId id;
    for (std::uint8_t& byte : id.bytes) {
        byte = static_cast<std::uint8_t>(random());
    }
    return id;
}

[[noreturn]] void hole(Revision revision)
{
    fail(Error::damaged, "history has a hole at revision " + std::to_string(revision));
}

}  // namespace

std::unique_ptr<Store> Store::open(const Options& options, leveldb::Env* base)
{
    std::unique_ptr<Store> store(new Store);
    store->impl_ = std::make_unique<Impl>(options, base);
    Impl& impl = *store->impl_;
    try {
        impl.open_database();
        Opening(*store).run();
    } catch (...) {
        impl.db.reset();
        if (impl.directory) {
            impl.directory->rollback();
        }
        throw;
    }
    impl.environment.release_removals();
    return store;
}

template <class Visit>
void Store::Opening::visit_area(char area, Visit visit) const
{
    const auto iterator = impl_.iterate(nullptr, false);
    for (iterator->Seek({&area, 1}); iterator->Valid() && iterator->key()[0] == area;
         iterator->Next()) {
        visit(std::string_view(iterator->key().data(), iterator->key().size()),
              std::string_view(iterator->value().data(), iterator->value().size()));
    }
    check_read(iterator->status());
}

BucketId Store::Opening::bucket_id(std::string_view value) const
{
    const auto id = decode_number(value);
    if (!id || *id >= store_.next_bucket_at_open_) {
        fail(Error::damaged, "a bucket has an id that was never given");
    }
    return static_cast<BucketId>(*id);
}

void Store::Opening::read_catalogue()
{
    const std::uint64_t next = impl_.number(next_bucket_key, nullptr).value_or(1);
    if (next > std::numeric_limits<BucketId>::max()) {
        fail(Error::damaged, "the next bucket id is too large");
    }
    store_.next_bucket_at_open_ = static_cast<BucketId>(next);
    visit_area(bucket_area, [this](std::string_view key, std::string_view value) {
        const auto bucket = parse_bucket_key(key);
        if (!bucket) {
            fail(Error::damaged, "a bucket has no name");
        }
        store_.catalogue_at_open_.add(bucket->first, bucket->second, bucket_id(value));
    });
    visit_area(orphan_area, [this](std::string_view key, std::string_view) {
        const auto id = parse_orphan_key(key);
        if (!id) {
            fail(Error::damaged, "a dropped bucket has no id");
        }
        store_.orphans_at_open_.push_back(*id);
    });
}

void Store::Opening::read_head()
{
    const Revision newest = impl_.newest_record(*impl_.iterate(nullptr, false));
    const Revision overtaken = impl_.number(head_key, nullptr).value_or(0);
    store_.head_at_open_ = std::max(newest, overtaken);
    if (newest != 0) {
        HistoryReader reader(impl_.iterate(nullptr, false));
        reader.seek(newest);
        if (!reader.valid()) {
            hole(newest);
        }
        store_.newest_time_at_open_ = reader.header().time;
    }
}

void Store::Opening::read_history()
{
    HistoryState& history = store_.history_at_open_;
    history.oldest = impl_.oldest(nullptr);
    history.newest = store_.head_at_open_;
    impl_.trim_from = impl_.number(oldest_key, nullptr).value_or(1);
    if (history.oldest > history.newest + 1) {
        hole(history.newest + 1);
    }
    if (history.oldest <= history.newest) {
        read_ends();
        check_newest(history.newest);
    }
}

void Store::Opening::read_ends()
{
    HistoryState& history = store_.history_at_open_;
    HistoryReader reader(impl_.iterate(nullptr, false));
    reader.seek(history.oldest);
    if (!reader.valid() || reader.revision() != history.oldest) {
        hole(history.oldest);
    }
    const RecordHeader header = reader.header();
    const auto record = decode_record(history.oldest, reader.take());
    if (!record) {
        hole(history.oldest);
    }
    history.oldest_time = header.time;
    history.before_oldest.messages = header.totals.messages - record->messages.size();
    history.before_oldest.bytes = header.totals.bytes - record->bytes.size();
    reader.seek(history.newest);
    if (!reader.valid()) {
        hole(history.newest);
    }
    history.newest_totals = reader.header().totals;
}

/// What LevelDB dropped from a damaged log it does not tell; here it shows.
void Store::Opening::check_newest(Revision newest) const
{
    const Revision first = first_to_check(newest, store_.history_at_open_.newest_totals.bytes);
    HistoryReader reader(impl_.iterate(nullptr, false));
    reader.seek(first);
    for (Revision expected = first; expected <= newest; ++expected) {
        if (!reader.valid() || reader.revision() != expected ||
            reader.header().previous != expected - 1 ||
            decode_record(expected, reader.take()) == nullptr) {
            hole(expected);
        }
    }
}

/// Halves the way to the newest record until it is not too long.
Revision Store::Opening::first_to_check(Revision newest, std::uint64_t newest_bytes) const
{
    Revision distance = std::min(newest - store_.history_at_open_.oldest, checked_records - 1);
    HistoryReader reader(impl_.iterate(nullptr, false));
    for (; distance > 0; distance /= 2) {
        reader.seek(newest - distance);
        if (!reader.valid() || reader.revision() != newest - distance) {
            hole(newest - distance);
        }
        if (newest_bytes - reader.header().totals.bytes <= checked_bytes) {
            break;
        }
    }
    return newest - distance;
}

/// A database whose creation was cut short has no identity, and nothing else either.
void Store::Opening::read_identity()
{
    const auto bytes = store_.get(history_id_key, nullptr);
    HistoryId& id = store_.history_id_;
    if (bytes) {
        if (bytes->size() != id.bytes.size()) {
            fail(Error::damaged, "the history id has the wrong size");
        }
        std::copy(bytes->begin(), bytes->end(), id.bytes.begin());
        return;
    }
    if (!empty()) {
        fail(Error::damaged, "the history id is missing");
    }
    id = random_history_id();
    Batch batch;
    batch.put(history_id_key, std::string(id.bytes.begin(), id.bytes.end()));
    leveldb::WriteOptions synced;
    synced.sync = true;
    if (const auto status = impl_.db->Write(synced, &batch.batch_); !status.ok()) {
        fail_open(status);
    }
}

bool Store::Opening::empty() const
{
    const auto iterator = impl_.iterate(nullptr, false);
    iterator->SeekToFirst();
    check_read(iterator->status());
    return !iterator->Valid();
}

}  // namespace keywatch::storage
