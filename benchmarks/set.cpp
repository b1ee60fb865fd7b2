// SPDX-License-Identifier: BSL-1.0
/// Measures sets of 1,000 to 1,000,000 members: a commit of one add and one of one pop, buffered
/// and with history; asking for a member, and reading a hundred of them, in a view; and popping
/// after many members were popped before.
/// Floor: bare LevelDB with the same reads, and a batch of the same records, on a copy of the
/// directory.
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

constexpr int per_transaction = 10'000;
constexpr int pairs = 9;

/// Returns the prefix of the element keys of the first collection of the first bucket.
const std::string& element_prefix()
{
    static const std::string prefix = [] {
        std::string bytes = kw::storage::data_prefix(1) + 'e';
        kw::bytes::append_fixed(bytes, std::uint64_t{1});
        return bytes;
    }();
    return prefix;
}

const std::string& header_key()
{
    static const std::string key = kw::storage::data_prefix(1) + "hk";
    return key;
}

/// Returns the i-th member of a permutation of the set.
std::string scattered(int i, int size)
{
    return numbered_key(static_cast<unsigned>(i * 7919LL % size));
}
/// Returns a member that is not in the set and sorts between its members.
std::string absent(int i, int size)
{
    return scattered(i, size) + '+';
}

asio::awaitable<void> add_numbered(kw::Database db, int first, int last)
{
    for (int next = first; next < last;) {
        co_await db.update([&](kw::Transaction& tx) {
            kw::Set set = tx.set("s");
            for (const int end = std::min(last, next + per_transaction); next < end; ++next) {
                set.add("k", numbered_key(static_cast<unsigned>(next)));
            }
        });
    }
}

asio::awaitable<void> fill(kw::Database db, int size)
{
    co_await db.update([](kw::Transaction& tx) { tx.create_bucket(kw::Structure::set, "s"); });
    co_await add_numbered(db, 0, size);
}

/// A set of the given size in two identical directories, one opened by LevelDB alone.
class Alike {
public:
    explicit Alike(int size)
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
        db_ = kw::Database::open_blocking(context_.get_executor(), options());
    }
    Alike(const Alike&) = delete;
    Alike& operator=(const Alike&) = delete;
    ~Alike() { run(context_, close(db_)); }

    leveldb::DB& bare() { return bare_->db(); }
    kw::Database& db() { return db_; }
    void run_ours(asio::awaitable<void> work) { run(context_, std::move(work)); }

private:
    kw::Options options() const
    {
        return watched_options(directory_.path(), kw::Durability::buffered);
    }

    const Directory directory_{"keywatch"};
    const Directory floor_directory_{"floor"};
    std::optional<BareStore> bare_;
    asio::io_context context_{1};
    kw::Database db_;
};

leveldb::ReadOptions read_options(const leveldb::Snapshot* snapshot = nullptr)
{
    leveldb::ReadOptions options;
    options.verify_checksums = true;
    options.snapshot = snapshot;
    return options;
}

bool bare_get(leveldb::DB& db, const std::string& key, const leveldb::Snapshot* snapshot = nullptr)
{
    std::string value;
    return db.Get(read_options(snapshot), key, &value).ok();
}

/// Returns the size in bytes of a history record with the message of one member.
std::size_t record_bytes()
{
    kw::storage::RecordWriter writer;
    const std::string member = numbered_key(1);
    kw::Message message;
    message.structure = kw::Structure::set;
    message.operation = kw::Operation::add;
    message.key = "k";
    message.value = member;
    writer.add(writer.bucket("s"), message);
    kw::storage::Totals totals;
    return writer.finish(0, {}, totals).size();
}

/// Writes what one change of a set writes: the element, the header, the history record.
class BareWrites {
public:
    explicit BareWrites(leveldb::DB& db) : db_(db) {}

    void add(const std::string& member)
    {
        if (!bare_get(db_, header_key()) || bare_get(db_, element_prefix() + member)) {
            std::abort();
        }
        leveldb::WriteBatch batch;
        batch.Put(element_prefix() + member, {});
        write(batch, 17);
    }
    void remove(const std::string& member)
    {
        leveldb::WriteBatch batch;
        batch.Delete(element_prefix() + member);
        write(batch, 17 + member.size());
    }
    /// `last`: the member popped before.
    std::string pop(const std::string& last)
    {
        if (!bare_get(db_, header_key())) {
            std::abort();
        }
        const std::unique_ptr<leveldb::Iterator> at(db_.NewIterator(read_options()));
        at->Seek(element_prefix() + last);
        std::string member = at->key().ToString().substr(element_prefix().size());
        remove(member);
        return member;
    }

private:
    void write(leveldb::WriteBatch& batch, std::size_t header_bytes)
    {
        batch.Put(header_key(), std::string(header_bytes, 'h'));
        batch.Put(history_key(++revision_), record_);
        if (!db_.Write({}, &batch).ok()) {
            std::abort();
        }
    }

    leveldb::DB& db_;
    const std::string record_ = random_bytes(record_bytes());
    std::uint64_t revision_ = 1'000'000;
};

asio::awaitable<void> adds(kw::Database db, int count, int size)
{
    for (int i = 0; i < count; ++i) {
        co_await db.update([&](kw::Transaction& tx) { tx.set("s").add("k", absent(i, size)); });
    }
}

asio::awaitable<void> remove_added(kw::Database db, int count, int size)
{
    co_await db.update([&](kw::Transaction& tx) {
        kw::Set set = tx.set("s");
        for (int i = 0; i < count; ++i) {
            set.remove("k", absent(i, size));
        }
    });
}

asio::awaitable<void> pops(kw::Database db, int count)
{
    for (int i = 0; i < count; ++i) {
        co_await db.update([](kw::Transaction& tx) {
            if (!tx.set("s").pop("k")) {
                std::abort();
            }
        });
    }
}

asio::awaitable<void> pops_in_one(kw::Database db, int count)
{
    for (int done = 0; done < count; done += per_transaction) {
        co_await db.update([&](kw::Transaction& tx) {
            for (int i = 0; i < per_transaction; ++i) {
                tx.set("s").pop("k");
            }
        });
    }
}

template <class Function>
asio::awaitable<void> view(kw::Database db, Function function)
{
    co_await db.view(function);
}

void set_add(benchmark::State& state)
{
    const int size = static_cast<int>(state.range(0));
    const int count = std::min(size, 10'000);
    Alike both(size);
    BareWrites bare(both.bare());
    for (auto _ : state) {
        std::vector<std::pair<double, double>> measured;
        for (int pair = 0; pair < pairs; ++pair) {
            const double floor_seconds = seconds([&] {
                for (int i = 0; i < count; ++i) {
                    bare.add(absent(i, size));
                }
            });
            measured.emplace_back(floor_seconds,
                                  seconds([&] { both.run_ours(adds(both.db(), count, size)); }));
            for (int i = 0; i < count; ++i) {
                bare.remove(absent(i, size));
            }
            both.run_ours(remove_added(both.db(), count, size));
        }
        report_median(state, std::move(measured), count);
    }
}

/// Compares pops after `popped` members were popped. If `refill` is true, each round puts the
/// popped members back.
void compare_pops(benchmark::State& state, Alike& both, int count, int popped, bool refill)
{
    BareWrites bare(both.bare());
    std::string last;
    const auto bare_pops = [&](int pops) {
        for (int i = 0; i < pops; ++i) {
            last = bare.pop(last);
        }
    };
    bare_pops(popped);
    both.run_ours(pops_in_one(both.db(), popped));
    std::vector<std::pair<double, double>> measured;
    for (int pair = 0; pair < pairs; ++pair) {
        const double floor_seconds = seconds([&] { bare_pops(count); });
        measured.emplace_back(floor_seconds,
                              seconds([&] { both.run_ours(pops(both.db(), count)); }));
        if (refill) {
            leveldb::WriteBatch batch;
            for (int i = 0; i < count; ++i) {
                batch.Put(element_prefix() + numbered_key(static_cast<unsigned>(i)), {});
            }
            last.clear();
            both.bare().Write({}, &batch);
            both.run_ours(add_numbered(both.db(), 0, count));
        }
    }
    report_median(state, std::move(measured), count);
}

void set_pop(benchmark::State& state)
{
    const int size = static_cast<int>(state.range(0));
    Alike both(size);
    for (auto _ : state) {
        // At least one member stays, so that the next round has one to read.
        compare_pops(state, both, std::min(size - 1, 10'000), 0, true);
    }
}

/// Measures pops from a set of a million after many were popped.
void set_pop_after(benchmark::State& state)
{
    Alike both(1'000'000);
    for (auto _ : state) {
        compare_pops(state, both, 10'000, static_cast<int>(state.range(0)), false);
    }
}

void set_contains(benchmark::State& state)
{
    constexpr int asked = 20'000;
    const int size = static_cast<int>(state.range(0));
    Alike both(size);
    int found = 0;
    const auto floor = [&] {
        const leveldb::Snapshot* const snapshot = both.bare().GetSnapshot();
        for (int i = 0; i < asked; ++i) {
            const std::string member = i % 2 == 0 ? scattered(i, size) : absent(i, size);
            found += bare_get(both.bare(), header_key(), snapshot) &&
                             bare_get(both.bare(), element_prefix() + member, snapshot)
                         ? 1
                         : 0;
        }
        both.bare().ReleaseSnapshot(snapshot);
    };
    const auto ask = [&](const kw::Snapshot& snapshot) {
        const kw::SetView set = snapshot.set("s");
        for (int i = 0; i < asked; ++i) {
            found += set.contains("k", i % 2 == 0 ? scattered(i, size) : absent(i, size)) ? 1 : 0;
        }
    };
    const auto ours = [&] { both.run_ours(view(both.db(), ask)); };
    floor();
    ours();
    for (auto _ : state) {
        compare_pairs(state, pairs, asked, floor, ours);
    }
    benchmark::DoNotOptimize(found);
}

/// Measures reading a hundred members from a random one on: those that agree in all digits except
/// the last two.
void set_members_100(benchmark::State& state)
{
    constexpr int ranges = 500;
    const int size = static_cast<int>(state.range(0));
    Alike both(size);
    std::size_t bytes = 0;
    const auto prefix = [&](int i) { return scattered(i, size).substr(0, 9); };
    const auto floor = [&] {
        for (int i = 0; i < ranges; ++i) {
            const std::string begin = element_prefix() + prefix(i);
            bytes += bare_get(both.bare(), header_key()) ? 1 : 0;
            const std::unique_ptr<leveldb::Iterator> at(both.bare().NewIterator(read_options()));
            for (at->Seek(begin); at->Valid() && at->key().starts_with(begin); at->Next()) {
                bytes += at->key().size();
            }
        }
    };
    const auto read = [&](const kw::Snapshot& snapshot) {
        const kw::SetView set = snapshot.set("s");
        for (int i = 0; i < ranges; ++i) {
            for (const std::string_view member : set.members("k", prefix(i))) {
                bytes += member.size();
            }
        }
    };
    const auto ours = [&] { both.run_ours(view(both.db(), read)); };
    floor();
    ours();
    for (auto _ : state) {
        compare_pairs(state, pairs, ranges, floor, ours);
    }
    benchmark::DoNotOptimize(bytes);
}

void sizes(benchmark::internal::Benchmark* benchmark)
{
    benchmark->Arg(1'000)->Arg(100'000)->Arg(1'000'000)->Iterations(1)->Repetitions(3);
}

BENCHMARK(set_add)->Apply(sizes);
BENCHMARK(set_pop)->Apply(sizes);
BENCHMARK(set_contains)->Apply(sizes);
BENCHMARK(set_members_100)->Apply(sizes);
BENCHMARK(set_pop_after)->Arg(0)->Arg(500'000)->Iterations(1)->Repetitions(3);

}  // namespace

BENCHMARK_MAIN();
