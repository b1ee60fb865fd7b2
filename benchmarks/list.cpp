// SPDX-License-Identifier: BSL-1.0
/// Measures lists of 1,000 to 1,000,000 elements of 100 bytes: pushing and popping, a commit each,
/// buffered, history kept and trimmed; and reading 100 elements in the middle in a view.
/// Floor: bare LevelDB on a copy of the same directory, with the same gets and the same records,
/// including one of history.
#include "support.hpp"

#include "bytes/numbers.hpp"
#include "storage/format/history_record.hpp"
#include "storage/format/layout.hpp"

#include <leveldb/iterator.h>
#include <leveldb/write_batch.h>

#include <cstdlib>
#include <optional>

namespace {

using namespace bench;

constexpr std::size_t value_bytes = 100;
constexpr int step = 500;  ///< number of commits measured at a time
constexpr int pairs = 41;
constexpr std::int64_t part = 100;

asio::awaitable<void> fill(kw::Database db, std::int64_t size)
{
    co_await db.update([](kw::Transaction& tx) { tx.create_bucket(kw::Structure::list, "l"); });
    const std::vector<std::string> values(1'000, random_bytes(value_bytes));
    for (std::int64_t filled = 0; filled < size; filled += 1'000) {
        co_await db.update([&](kw::Transaction& tx) { tx.list("l").push_back("list", values); });
    }
}

asio::awaitable<void> our_pushes(kw::Database db)
{
    const std::string value = random_bytes(value_bytes);
    for (int i = 0; i < step; ++i) {
        co_await db.update([&](kw::Transaction& tx) { tx.list("l").push_back("list", value); });
    }
}

asio::awaitable<void> our_pops(kw::Database db)
{
    for (int i = 0; i < step; ++i) {
        co_await db.update([](kw::Transaction& tx) { tx.list("l").pop_front("list"); });
    }
}

asio::awaitable<void> our_ranges(kw::Database db, std::int64_t first, std::size_t& bytes)
{
    for (int i = 0; i < step; ++i) {
        co_await db.view([&](const kw::Snapshot& snapshot) {
            kw::Range<std::string_view> range =
                snapshot.list("l").range("list", first + i, first + i + part - 1);
            for (const std::string_view each : range) {
                bytes += each.size();
            }
        });
    }
}

/// Returns the size in bytes of the history record of one push or pop.
std::size_t record_bytes()
{
    kw::storage::RecordWriter writer;
    const std::string value = random_bytes(value_bytes);
    kw::Message message;
    message.structure = kw::Structure::list;
    message.operation = kw::Operation::push_back;
    message.key = "list";
    message.value = value;
    writer.add(writer.bucket("l"), message);
    kw::storage::Totals totals;
    return writer.finish(0, {}, totals).size();
}

/// An equal list that is written directly to LevelDB: the first collection of the first bucket.
class BareList {
public:
    BareList(leveldb::DB& db, std::int64_t size) : db_(db), size_(static_cast<std::uint64_t>(size))
    {
    }

    void pushes()
    {
        for (int i = 0; i < step; ++i) {
            get(header_key_);
            leveldb::WriteBatch batch;
            batch.Put(element_key(size_++), value_);
            write(batch);
        }
    }
    void pops()
    {
        for (int i = 0; i < step; ++i) {
            get(header_key_);
            get(element_key(0));
            leveldb::WriteBatch batch;
            batch.Delete(element_key(0));
            ++first_;
            --size_;
            write(batch);
        }
    }
    std::size_t ranges(std::int64_t first)
    {
        std::size_t bytes = 0;
        for (int i = 0; i < step; ++i) {
            get(header_key_);
            const std::unique_ptr<leveldb::Iterator> at(db_.NewIterator(read_options()));
            at->Seek(element_key(static_cast<std::uint64_t>(first + i)));
            for (std::int64_t left = part; left > 0; --left) {
                bytes += at->value().size();
                if (left > 1) {
                    at->Next();
                }
            }
        }
        return bytes;
    }

private:
    static leveldb::ReadOptions read_options()
    {
        leveldb::ReadOptions options;
        options.verify_checksums = true;
        return options;
    }
    std::string element_key(std::uint64_t index) const
    {
        std::string key = kw::storage::data_prefix(1) + 'e';
        kw::bytes::append_fixed(key, std::uint64_t{1});
        kw::bytes::append_fixed(key, first_ + index);
        return key;
    }
    void get(const std::string& key)
    {
        std::string value;
        if (!db_.Get(read_options(), key, &value).ok()) {
            std::abort();
        }
    }
    /// Adds a header and a history record to the batch, and writes it.
    void write(leveldb::WriteBatch& batch)
    {
        std::string header;
        kw::bytes::append_fixed(header, std::uint64_t{1});
        kw::bytes::append_fixed(header, size_);
        kw::bytes::append_fixed(header, first_);
        header += '\0';
        batch.Put(header_key_, header);
        batch.Put(history_key(++revision_), record_);
        if (!db_.Write({}, &batch).ok()) {
            std::abort();
        }
    }

    leveldb::DB& db_;
    std::uint64_t first_ = std::uint64_t{1} << 63;
    std::uint64_t size_;
    std::uint64_t revision_ = 1'000'000;
    const std::string header_key_ = kw::storage::data_prefix(1) + "hlist";
    const std::string value_ = random_bytes(value_bytes);
    const std::string record_ = random_bytes(record_bytes());
};

/// Two identical directories, one opened by LevelDB alone, the other by keywatch.
class Alike {
public:
    explicit Alike(std::int64_t size)
    {
        {
            asio::io_context context(1);
            kw::Database db = kw::Database::open_blocking(context.get_executor(), options());
            run(context, fill(db, size));
            run(context, close(db));
        }
        BareStore(directory_.path()).db().CompactRange(nullptr, nullptr);
        std::filesystem::copy(directory_.path(), floor_directory_.path());
        bare_.emplace(floor_directory_.path());
        bare_list_.emplace(bare_->db(), size);
        db_ = kw::Database::open_blocking(context_.get_executor(), options());
    }
    Alike(const Alike&) = delete;
    Alike& operator=(const Alike&) = delete;
    ~Alike() { run(context_, close(db_)); }

    BareList& bare() { return *bare_list_; }
    void push() { run(context_, our_pushes(db_)); }
    void pop() { run(context_, our_pops(db_)); }
    std::size_t ranges(std::int64_t first)
    {
        std::size_t bytes = 0;
        run(context_, our_ranges(db_, first, bytes));
        return bytes;
    }

private:
    kw::Options options() const
    {
        return watched_options(directory_.path(), kw::Durability::buffered);
    }

    const Directory directory_{"keywatch"};
    const Directory floor_directory_{"floor"};
    std::optional<BareStore> bare_;
    std::optional<BareList> bare_list_;
    asio::io_context context_{1};
    kw::Database db_;
};

/// Runs the measured operation on both sides and undoes it, unmeasured, before the next round.
template <class Floor, class FloorBack, class Ours, class OursBack>
void compare_and_undo(benchmark::State& state, Floor floor, FloorBack floor_back, Ours ours,
                      OursBack ours_back)
{
    for (auto _ : state) {
        std::vector<std::pair<double, double>> measured;
        for (int pair = 0; pair < pairs; ++pair) {
            const double floor_seconds = seconds(floor);
            floor_back();
            const double our_seconds = seconds(ours);
            ours_back();
            measured.emplace_back(floor_seconds, our_seconds);
        }
        report_median(state, std::move(measured), step);
    }
}

void list_push_back(benchmark::State& state)
{
    Alike both(state.range(0));
    compare_and_undo(
        state, [&] { both.bare().pushes(); }, [&] { both.bare().pops(); }, [&] { both.push(); },
        [&] { both.pop(); });
}

void list_pop_front(benchmark::State& state)
{
    Alike both(state.range(0));
    compare_and_undo(
        state, [&] { both.bare().pops(); }, [&] { both.bare().pushes(); }, [&] { both.pop(); },
        [&] { both.push(); });
}

void list_range_of_100(benchmark::State& state)
{
    Alike both(state.range(0));
    const std::int64_t first = state.range(0) / 2 - (step + part) / 2;
    std::size_t bytes = 0;
    const auto floor = [&] { bytes += both.bare().ranges(first); };
    const auto ours = [&] { bytes += both.ranges(first); };
    floor();
    ours();
    for (auto _ : state) {
        compare_pairs(state, pairs, step, floor, ours);
    }
    benchmark::DoNotOptimize(bytes);
}

void sizes(benchmark::internal::Benchmark* benchmark)
{
    benchmark->Arg(1'000)->Arg(100'000)->Arg(1'000'000)->Iterations(1)->Repetitions(3);
}

BENCHMARK(list_push_back)->Apply(sizes);
BENCHMARK(list_pop_front)->Apply(sizes);
BENCHMARK(list_range_of_100)->Apply(sizes);

}  // namespace

BENCHMARK_MAIN();
