// SPDX-License-Identifier: BSL-1.0
/// Measures each operation of one sorted set of 1,000, 100,000 and 1,000,000 members, `buffered`,
/// in a transaction or a view of its own, history kept and trimmed. Scores are random.
/// Floor: the same reads, seeks and steps on bare LevelDB with a copy of the same files, and a
/// WriteBatch of the same records and one of history.
#include "sorted_set_floor.hpp"

#include <map>
#include <optional>

namespace {

using namespace bench;
std::mt19937_64& generator()
{
    static std::mt19937_64 engine(2);
    return engine;
}

double random_score()
{
    return static_cast<double>(generator()() % 1'000'000'000) / 1000;
}

/// Returns random existing members, with new scores.
std::vector<Scored> some_of(std::size_t members, std::size_t count)
{
    std::vector<Scored> some;
    for (std::size_t i = 0; i < count; ++i) {
        some.emplace_back(numbered_key(static_cast<unsigned>(generator()() % members)),
                          random_score());
    }
    return some;
}

std::vector<Scored> new_ones(std::size_t count)
{
    static unsigned next = 0;
    std::vector<Scored> added;
    for (std::size_t i = 0; i < count; ++i) {
        added.emplace_back("new" + numbered_key(next++), random_score());
    }
    return added;
}

/// Calls the function `count` times with the sorted set, each time in a transaction (a view) of its
/// own.
template <class Function>
asio::awaitable<void> write_each(kw::Database db, std::size_t count, Function function)
{
    for (std::size_t i = 0; i < count; ++i) {
        co_await db.update([&](kw::Transaction& tx) { function(tx.sorted_set("b"), i); });
    }
}
template <class Function>
asio::awaitable<void> read_each(kw::Database db, std::size_t count, Function function)
{
    for (std::size_t i = 0; i < count; ++i) {
        co_await db.view([&](const kw::Snapshot& view) { function(view.sorted_set("b"), i); });
    }
}

/// Two identical directories, one opened by LevelDB alone, the other by keywatch.
class Alike {
public:
    explicit Alike(std::size_t members) : members_(members)
    {
        {
            asio::io_context context(1);
            kw::Database db = kw::Database::open_blocking(context.get_executor(), options());
            run(context, fill(db, members));
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

    /// Returns all instances, one for each size, since creating one takes long. Must be cleared
    /// before the program ends.
    static std::map<std::size_t, Alike>& all()
    {
        static std::map<std::size_t, Alike> all;
        return all;
    }
    static Alike& of(std::size_t members)
    {
        return all().try_emplace(members, members).first->second;
    }

    std::size_t members() const { return members_; }
    /// Returns the number of calls in a row that are measured together.
    std::size_t calls() const { return std::min<std::size_t>(members_ / 2, 5'000); }
    BareSet& bare() { return *bare_; }

    template <class Function>
    void write(std::size_t count, Function function)
    {
        run(context_, write_each(db_, count, function));
    }
    template <class Function>
    void read(std::size_t count, Function function)
    {
        run(context_, read_each(db_, count, function));
    }

private:
    static asio::awaitable<void> fill(kw::Database db, std::size_t members)
    {
        co_await db.update(
            [](kw::Transaction& tx) { tx.create_bucket(kw::Structure::sorted_set, "b"); });
        for (std::size_t next = 0; next < members;) {
            std::vector<Scored> some;
            for (const std::size_t end = next + 1'000; next < end; ++next) {
                some.emplace_back(numbered_key(static_cast<unsigned>(next)), random_score());
            }
            co_await db.update([&](kw::Transaction& tx) { tx.sorted_set("b").add("k", some); });
        }
    }
    kw::Options options() const
    {
        return watched_options(directory_.path(), kw::Durability::buffered);
    }

    std::size_t members_;
    const Directory directory_{"keywatch-" + std::to_string(members_)};
    const Directory floor_directory_{"floor-" + std::to_string(members_)};
    std::optional<BareSet> bare_;
    asio::io_context context_{1};
    kw::Database db_;
};

/// Same as `compare_pairs`, for a `round` that measures the floor and keywatch itself.
template <class Round>
void measure(benchmark::State& state, Round round)
{
    Alike& both = Alike::of(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) {
        round(both);
        std::vector<std::pair<double, double>> measured;
        for (int pair = 0; pair < 9; ++pair) {
            measured.push_back(round(both));
        }
        report_median(state, std::move(measured), static_cast<double>(both.calls()));
    }
}

void sorted_set_rank(benchmark::State& state)
{
    std::size_t sum = 0;
    measure(state, [&](Alike& both) {
        const std::vector<Scored> asked = some_of(both.members(), both.calls());
        const double floor = seconds([&] {
            for (const Scored& each : asked) {
                sum += both.bare().rank(each.first);
            }
        });
        return std::pair(floor, seconds([&] {
                             both.read(both.calls(), [&](kw::SortedSetView set, std::size_t i) {
                                 sum += set.rank("k", asked[i].first).value();
                             });
                         }));
    });
    benchmark::DoNotOptimize(sum);
}

void sorted_set_100_by_rank(benchmark::State& state)
{
    std::size_t bytes = 0;
    measure(state, [&](Alike& both) {
        const auto first = [&](std::size_t i) { return i * 7'919 % (both.members() - 200); };
        const double floor = seconds([&] {
            for (std::size_t i = 0; i < both.calls(); ++i) {
                bytes += both.bare().range_by_rank(first(i), 100);
            }
        });
        return std::pair(
            floor, seconds([&] {
                both.read(both.calls(), [&](kw::SortedSetView set, std::size_t i) {
                    const auto rank = static_cast<std::int64_t>(first(i));
                    for (const auto [member, score] : set.range_by_rank("k", rank, rank + 99)) {
                        bytes += member.size();
                    }
                });
            }));
    });
    benchmark::DoNotOptimize(bytes);
}

void sorted_set_100_by_score(benchmark::State& state)
{
    std::size_t bytes = 0;
    measure(state, [&](Alike& both) {
        const std::vector<Scored> asked = some_of(both.members(), both.calls());
        const double floor = seconds([&] {
            for (const Scored& each : asked) {
                bytes += both.bare().range_by_score(each.second, 100);
            }
        });
        return std::pair(floor, seconds([&] {
                             both.read(both.calls(), [&](kw::SortedSetView set, std::size_t i) {
                                 const kw::ScoreRange scores{.min = asked[i].second};
                                 for (const auto [member, score] :
                                      set.range_by_score("k", scores, {.limit = 100})) {
                                     bytes += member.size();
                                 }
                             });
                         }));
    });
    benchmark::DoNotOptimize(bytes);
}

void sorted_set_rescore(benchmark::State& state)
{
    measure(state, [](Alike& both) {
        const std::vector<Scored> changed = some_of(both.members(), both.calls());
        const double floor = seconds([&] {
            for (const Scored& each : changed) {
                both.bare().rescore(each);
            }
        });
        return std::pair(floor, seconds([&] {
                             both.write(both.calls(), [&](kw::SortedSet set, std::size_t i) {
                                 set.add("k", changed[i].first, changed[i].second);
                             });
                         }));
    });
}

void sorted_set_add(benchmark::State& state)
{
    measure(state, [](Alike& both) {
        const std::vector<Scored> added = new_ones(both.calls());
        const double floor = seconds([&] {
            for (const Scored& each : added) {
                both.bare().add(each);
            }
        });
        const double ours = seconds([&] {
            both.write(both.calls(), [&](kw::SortedSet set, std::size_t i) {
                set.add("k", added[i].first, added[i].second);
            });
        });
        both.bare().forget(added);
        both.write(1, [&](kw::SortedSet set, std::size_t) {
            for (const Scored& each : added) {
                set.remove("k", each.first);
            }
        });
        return std::pair(floor, ours);
    });
}

void sorted_set_pop_min(benchmark::State& state)
{
    measure(state, [](Alike& both) {
        std::vector<Scored> bare;
        const double floor = seconds([&] {
            for (std::size_t i = 0; i < both.calls(); ++i) {
                bare.push_back(both.bare().pop_min());
            }
        });
        std::vector<Scored> popped;
        const double ours = seconds([&] {
            both.write(both.calls(), [&](kw::SortedSet set, std::size_t) {
                popped.push_back(set.pop_min("k").value());
            });
        });
        both.bare().restore(bare);
        both.write(1, [&](kw::SortedSet set, std::size_t) { set.add("k", popped); });
        return std::pair(floor, ours);
    });
}

// Reading comes first, because it does not change the sets.
void sizes(benchmark::internal::Benchmark* each)
{
    each->Arg(1'000)->Arg(100'000)->Arg(1'000'000)->Iterations(1)->Repetitions(3);
}
BENCHMARK(sorted_set_rank)->Apply(sizes);
BENCHMARK(sorted_set_100_by_rank)->Apply(sizes);
BENCHMARK(sorted_set_100_by_score)->Apply(sizes);
BENCHMARK(sorted_set_rescore)->Apply(sizes);
BENCHMARK(sorted_set_add)->Apply(sizes);
BENCHMARK(sorted_set_pop_min)->Apply(sizes);

}  // namespace

int main(int argc, char** argv)
{
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    Alike::all().clear();
}
