// SPDX-License-Identifier: BSL-1.0
#include "model_state.hpp"

#include <sstream>
#include <type_traits>
#include <utility>

namespace keywatch::test {

namespace {

template <class Keys>
void erase_expired(Keys& keys, Time now)
{
    std::erase_if(keys, [now](const auto& each) { return each.second.expired(now); });
}

std::optional<Time> deadline(std::optional<std::chrono::milliseconds> ttl, Time now)
{
    return ttl ? std::optional<Time>(now + *ttl) : std::nullopt;
}

void write(std::ostream& out, const std::string& value)
{
    out << '\'';
    for (const char each : value) {
        if (each >= ' ' && each <= '~') {
            out << each;
        } else {
            out << '\\' << static_cast<int>(static_cast<unsigned char>(each));
        }
    }
    out << '\'';
}
void write(std::ostream& out, const std::pair<const std::string, double>& scored)
{
    write(out, scored.first);
    out << ':' << scored.second;
}
template <class Container>
void write(std::ostream& out, const Container& container)
{
    for (const auto& each : container) {
        write(out << ' ', each);
    }
}

}  // namespace

bool ModelState::has_bucket(Structure structure, const std::string& name) const
{
    bool found = false;
    const_cast<ModelState*>(this)->each_structure([&](Structure each, const auto& buckets) {
        found = found || (each == structure && buckets.contains(name));
    });
    return found;
}

void ModelState::remove_expired(Time now)
{
    each_structure([now](Structure, auto& buckets) {
        for (auto& [name, keys] : buckets) {
            erase_expired(keys, now);
        }
    });
}

std::size_t ModelState::count_expired(Time now) const
{
    std::size_t count = 0;
    const_cast<ModelState*>(this)->each_structure([&](Structure, const auto& buckets) {
        for (const auto& [name, keys] : buckets) {
            for (const auto& [key, entry] : keys) {
                count += entry.expired(now) ? 1 : 0;
            }
        }
    });
    return count;
}

ModelState read_state(const Snapshot& snapshot, Time now)
{
    ModelState state;
    for (const Bucket& bucket : snapshot.buckets()) {
        switch (bucket.structure) {
        case Structure::btree: {
            auto& keys = state.btrees[bucket.name];
            const BTreeView view = snapshot.btree(bucket.name);
            for (const auto [key, value] : view.scan()) {
                keys[std::string(key)] = {std::string(value), deadline(view.ttl(key), now)};
            }
            break;
        }
        case Structure::list: {
            auto& keys = state.lists[bucket.name];
            const ListView view = snapshot.list(bucket.name);
            for (const std::string_view key : view.keys()) {
                auto& entry = keys[std::string(key)];
                entry.deadline = deadline(view.ttl(key), now);
                for (const std::string_view each : view.range(key)) {
                    entry.value.emplace_back(each);
                }
            }
            break;
        }
        case Structure::set: {
            auto& keys = state.sets[bucket.name];
            const SetView view = snapshot.set(bucket.name);
            for (const std::string_view key : view.keys()) {
                auto& entry = keys[std::string(key)];
                entry.deadline = deadline(view.ttl(key), now);
                for (const std::string_view each : view.members(key)) {
                    entry.value.emplace(each);
                }
            }
            break;
        }
        case Structure::sorted_set: {
            auto& keys = state.sorted_sets[bucket.name];
            const SortedSetView view = snapshot.sorted_set(bucket.name);
            for (const std::string_view key : view.keys()) {
                auto& entry = keys[std::string(key)];
                entry.deadline = deadline(view.ttl(key), now);
                for (const ScoredMember each : view.members(key)) {
                    entry.value.emplace(each.member, each.score);
                }
            }
            break;
        }
        }
    }
    return state;
}

std::string describe(const ModelState& state)
{
    std::ostringstream out;
    const_cast<ModelState&>(state).each_structure([&](Structure structure, const auto& buckets) {
        for (const auto& [name, keys] : buckets) {
            out << structure << ' ' << name << '\n';
            for (const auto& [key, entry] : keys) {
                write(out << "    ", key);
                write(out << " = ", entry.value);
                if (entry.deadline) {
                    out << " until " << entry.deadline->time_since_epoch().count();
                }
                out << '\n';
            }
        }
    });
    return out.str();
}

}  // namespace keywatch::test
