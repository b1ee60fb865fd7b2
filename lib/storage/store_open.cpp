// SPDX-License-Identifier: BSL-1.0
#include "failure.hpp"
#include "history_reader.hpp"
#include "store_impl.hpp"

#include "values/failure.hpp"

#include <algorithm>
#include <limits>
#include <random>
#include <utility>

namespace keywatch::storage {

/// The part of open() after LevelDB has opened the database: reads its contents and checks that
/// they are consistent.
class Store::Opening {
public:
    /// Runs all steps. If the system refuses a read, throws `open_failed`.
    static void look_into(Store& store)
    {
        try {
            Opening(store).run();
        } catch (const boost::system::system_error& error) {
            if (error.code() == Error::storage_failed) {
                fail(Error::open_failed, FailedReads::last().ToString());
            }
            throw;
        }
    }

private:
    explicit Opening(Store& store)
        : store_(store),
          impl_(*store.impl_),
          iterator_(impl_.iterate(nullptr, false)),
          records_(impl_.iterate(nullptr, false))
    {
    }

    void run()
    {
        read_catalogue();
        read_head();
        read_history();
        read_cursors();
        read_identity();
        if (const auto status = impl_.environment.close_failure(); !status.ok()) {
            fail_open(status);
        }
    }

    template <class Visit>
    void visit_area(char area, Visit visit) const;
    CatalogueEntry bucket_entry(std::string_view value) const;
    void read_catalogue();
    void read_head();
    void read_history();
    void read_cursors();
    void read_ends();
    RecordHeader find(Revision revision);
    void check_newest(Revision newest);
    std::uint64_t bytes_after(Revision revision);
    Revision first_to_check(Revision newest);
    void read_identity();
    bool empty() const;

    Store& store_;
    Impl& impl_;
    // Iterates over the database as LevelDB found it: nothing has been written yet.
    const std::unique_ptr<leveldb::Iterator> iterator_;
    HistoryReader records_;
    RecordHeader newest_;  ///< header of the newest record, if there is one
};

namespace {

/// The newest history is checked on open: as much as the logs can have held, and at least the
/// lesser of these two amounts.
constexpr Revision least_records = 64;
constexpr std::uint64_t least_bytes = std::uint64_t{256} << 10;
/// Upper limits of the history that is checked.
constexpr Revision most_records = 16384;
constexpr std::uint64_t most_bytes = std::uint64_t{64} << 20;

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
    std::uint64_t given_up = 0;  // bytes of the reserve
    for (;;) {
        std::unique_ptr<Store> store(new Store);
        store->impl_ = std::make_unique<Impl>(options, base);
        Impl& impl = *store->impl_;
        try {
            impl.open_database();
            Opening::look_into(*store);
            impl.finish_open();
            return store;
        } catch (const boost::system::system_error& error) {
            impl.undo_open();
            if (given_up > 0) {
                impl.reserve.take_back(given_up);
                throw;
            }
            given_up = !options.read_only && is_disk_full(error) ? impl.reserve.give_up() : 0;
            if (given_up == 0) {
                throw;
            }
        } catch (...) {
            impl.undo_open();
            throw;
        }
    }
}

template <class Visit>
void Store::Opening::visit_area(char area, Visit visit) const
{
    for (iterator_->Seek({&area, 1}); iterator_->Valid() && iterator_->key()[0] == area;
         iterator_->Next()) {
        visit(std::string_view(iterator_->key().data(), iterator_->key().size()),
              std::string_view(iterator_->value().data(), iterator_->value().size()));
    }
}

CatalogueEntry Store::Opening::bucket_entry(std::string_view value) const
{
    const auto entry = decode_bucket(value);
    if (!entry || entry->id >= store_.next_bucket_at_open_) {
        fail(Error::damaged, "a bucket has an id that was never assigned");
    }
    return *entry;
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
        store_.catalogue_at_open_.add(bucket->first, bucket->second, bucket_entry(value));
    });
    visit_area(orphan_area, [this](std::string_view key, std::string_view) {
        auto prefix = parse_orphan_key(key);
        if (!prefix) {
            fail(Error::damaged, "a dropped bucket has no id");
        }
        store_.orphans_at_open_.push_back(std::move(*prefix));
    });
}

void Store::Opening::read_head()
{
    const Revision newest = impl_.newest_record(*iterator_);
    const Revision overtaken = impl_.number(head_key, nullptr).value_or(0);
    store_.head_at_open_ = std::max(newest, overtaken);
    if (newest != 0) {
        newest_ = find(newest);
        store_.latest_time_at_open_ = newest_.time;
    }
    if (const auto stored = store_.get(time_key, nullptr)) {
        const auto time = decode_time(*stored);
        if (!time) {
            fail(Error::damaged, std::string(time_key) + " is not a time");
        }
        store_.latest_time_at_open_ = std::max(store_.latest_time_at_open_, *time);
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

void Store::Opening::read_cursors()
{
    impl_.pins.emplace(store_.history_at_open_.oldest);
    visit_area(cursor_area, [this](std::string_view key, std::string_view value) {
        const auto name = parse_cursor_key(key);
        const auto entry = decode_cursor(value);
        if (!name || !entry || entry->position > store_.head_at_open_) {
            fail(Error::damaged, "a cursor entry is malformed or points beyond the newest commit");
        }
        impl_.pins->pin(entry->position);  // has no effect if it has fallen out of history
    });
}

void Store::Opening::read_ends()
{
    HistoryState& history = store_.history_at_open_;
    const RecordHeader header = find(history.oldest);
    const auto record = decode_record(history.oldest, records_.take());
    if (!record) {
        hole(history.oldest);
    }
    history.oldest_time = header.time;
    history.before_oldest.messages = header.totals.messages - record->messages.size();
    history.before_oldest.bytes = header.totals.bytes - record->bytes.size();
    history.newest_totals = newest_.totals;
}

RecordHeader Store::Opening::find(Revision revision)
{
    records_.seek(revision);
    if (!records_.valid() || records_.revision() != revision) {
        hole(revision);
    }
    return records_.header();
}

/// LevelDB does not report records that it dropped from a damaged log. A hole in the newest history
/// reveals them.
void Store::Opening::check_newest(Revision newest)
{
    const Revision first = first_to_check(newest);
    records_.seek(first);
    for (Revision expected = first; expected <= newest; ++expected) {
        if (!records_.valid() || records_.revision() != expected ||
            records_.header().previous != expected - 1 ||
            decode_record(expected, records_.take()) == nullptr) {
            hole(expected);
        }
    }
}

/// Returns the number of bytes of history after this record.
std::uint64_t Store::Opening::bytes_after(Revision revision)
{
    return newest_.totals.bytes - find(revision).totals.bytes;
}

/// Steps back from the newest record until the bytes in between exceed what the logs can have held,
/// so that the record before the oldest one in a log is checked as well. Each step reads a block of
/// every level, so the first step is estimated from the average record size.
Revision Store::Opening::first_to_check(Revision newest)
{
    const HistoryState& history = store_.history_at_open_;
    const std::uint64_t average =
        (newest_.totals.bytes - history.before_oldest.bytes) / (newest - history.oldest + 1) + 1;
    const std::uint64_t in_logs = impl_.directory ? impl_.directory->log_bytes() : 0;
    const std::uint64_t wanted = std::max(in_logs, std::min(least_bytes, least_records * average));
    const Revision all = std::min(newest - history.oldest, most_records - 1);
    Revision distance = 0;
    std::uint64_t bytes = 0;
    Revision next = std::min<Revision>(all, wanted / average + 1);
    while (distance < all && bytes <= wanted) {
        const std::uint64_t more = bytes_after(newest - next);
        if (more > 4 * wanted && next > distance + 1) {  // the newest records are longer than most
            next = distance + (next - distance) / 2;
            continue;
        }
        if (more > most_bytes) {
            break;
        }
        distance = next;
        bytes = more;
        next = std::min(all, 2 * distance);
    }
    return newest - distance;
}

/// Reads the history id. If there is none, the database must be empty: its creation was
/// interrupted, and it receives a new id.
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
    iterator_->SeekToFirst();
    return !iterator_->Valid();
}

}  // namespace keywatch::storage
