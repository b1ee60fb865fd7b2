// SPDX-License-Identifier: BSL-1.0
#include "workload.hpp"

#include <algorithm>
#include <iterator>

namespace keywatch::test {

namespace {

constexpr std::uint64_t keys = 200;
constexpr std::uint64_t scratch_keys = 40;
constexpr Revision scratch_period = 40;
constexpr Revision cursor_period = 7;

/// A generator that yields the same numbers on every machine.
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t below(std::uint64_t end)
    {
        state_ += 0x9e3779b97f4a7c15U;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return (z ^ (z >> 31)) % end;
    }

private:
    std::uint64_t state_;
};

class TransactionTarget {
public:
    explicit TransactionTarget(Transaction& transaction) : transaction_(transaction) {}

    void create(const std::string& name) { transaction_.create_bucket(Structure::btree, name); }
    void drop(const std::string& name) { transaction_.delete_bucket(Structure::btree, name); }
    void put(const std::string& bucket, const std::string& key, const std::string& value)
    {
        transaction_.btree(bucket).put(key, value);
    }
    void erase(const std::string& bucket, const std::string& key)
    {
        transaction_.btree(bucket).erase(key);
    }
    void save(const std::string& cursor, Revision revision)
    {
        transaction_.save_cursor(cursor, revision);
    }
    void forget(const std::string& cursor) { transaction_.delete_cursor(cursor); }

private:
    Transaction& transaction_;
};

}  // namespace

/// Applies changes to the contents, and records what a watcher should see.
class Model::Target {
public:
    explicit Target(Contents& contents) : contents_(contents) {}

    void create(const std::string& name)
    {
        contents_[name];
        changes.push_back({Operation::bucket_created, name, {}, {}, {}});
    }
    void drop(const std::string& name)
    {
        contents_.erase(name);
        changes.push_back({Operation::bucket_deleted, name, {}, {}, {}});
    }
    void put(const std::string& bucket, const std::string& key, const std::string& value)
    {
        contents_[bucket][key] = value;
        changes.push_back({Operation::put, bucket, key, value, {}});
    }
    void erase(const std::string& bucket, const std::string& key)
    {
        auto& entries = contents_[bucket];
        if (const auto at = entries.find(key); at != entries.end()) {
            changes.push_back({Operation::erase, bucket, key, {}, at->second});
            entries.erase(at);
        }
    }
    void save(const std::string& cursor, Revision revision)
    {
        contents_[place_of_cursors][cursor] = std::to_string(revision);
    }
    void forget(const std::string&) { contents_.erase(place_of_cursors); }

    std::vector<Change> changes;

private:
    Contents& contents_;
};

Change change_of(const Message& message)
{
    Change change{message.operation, std::string(message.bucket), std::string(message.key),
                  std::string(message.value), std::nullopt};
    if (message.operation == Operation::erase && message.previous) {
        change.previous = std::string(*message.previous);
    }
    return change;
}

template <class Target>
void Workload::make(Revision revision, Target& target) const
{
    if (revision == 1) {
        target.create("data");
        return;
    }
    if (revision % cursor_period == 0) {
        target.save("reader", revision - 1);
    } else if (revision % scratch_period == 0) {
        target.forget("reader");
    }
    Random random(seed_ * 1000003 + revision);
    const auto value = [&](std::uint64_t place) {
        return std::to_string(revision) + '.' + std::to_string(place) + ':' +
               std::string(random.below(padding_ + 1), static_cast<char>('a' + revision % 26));
    };
    if (revision % scratch_period == 10) {
        target.create("scratch");
        for (std::uint64_t i = 0; i < scratch_keys; ++i) {
            target.put("scratch", "s" + std::to_string(i), value(i));
        }
        return;
    }
    if (revision % scratch_period == 30) {
        target.drop("scratch");
    }
    const std::uint64_t changes = random.below(6);
    for (std::uint64_t i = 0; i < changes; ++i) {
        const std::string key = "k" + std::to_string(random.below(keys));
        if (random.below(5) == 0) {
            target.erase("data", key);
        } else {
            target.put("data", key, value(i));
        }
    }
    target.put("data", "last", value(changes));
}

void Workload::run(Transaction& transaction) const
{
    TransactionTarget target(transaction);
    make(transaction.revision() + 1, target);
}

std::vector<Change> Model::next()
{
    Target target(contents_);
    workload_.make(++revision_, target);
    return std::move(target.changes);
}

std::vector<Change> in_bucket(const std::string& bucket, const std::vector<Change>& changes)
{
    std::vector<Change> some;
    std::ranges::copy_if(changes, std::back_inserter(some),
                         [&](const Change& each) { return each.bucket == bucket; });
    return some;
}

std::string wrong_with(const std::vector<SeenCommit>& seen, const Workload& workload,
                       Revision after, Revision up_to)
{
    Model model(workload);
    auto at = seen.begin();
    while (model.revision() < up_to) {
        const auto changes = in_bucket("data", model.next());
        if (model.revision() <= after || changes.empty()) {
            continue;
        }
        const std::string here = " at revision " + std::to_string(model.revision());
        if (at == seen.end()) {
            return "commits are missing from the end," + here;
        }
        if (at->revision != model.revision()) {
            return "there is " + std::to_string(at->revision) + here;
        }
        if (at->changes != changes) {
            return "other changes than were made" + here;
        }
        ++at;
    }
    return at == seen.end() ? std::string()
                            : "too much from revision " + std::to_string(at->revision) + " on";
}

}  // namespace keywatch::test
