// SPDX-License-Identifier: BSL-1.0
#include "random_commits.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace keywatch::test {

namespace {

struct Refused : std::runtime_error {
    Refused() : runtime_error("a transaction that changes its mind") {}
};

const std::array<std::string, 3> buckets{"b0", "b1", "b2"};
// Some keys are prefixes of others, and one is binary.
const std::array<std::string, 9> keys{
    "a", "ab", "abc", "abcd", "b", "b/1", "b/2", "c", std::string("\0\xff", 2)};
const std::array<std::string, 3> origins{"", "me", "you"};

template <std::size_t size>
const std::string& one_of(Random& random, const std::array<std::string, size>& some)
{
    return some[below(random, size)];
}

}  // namespace

/// One running transaction: it changes the database and a copy of the model.
class RandomCommits::Step {
public:
    Step(Random& random, State state) : random_(random), state_(std::move(state)) {}

    void run(Transaction& tx)
    {
        origin_ = one_of(random_, origins);
        if (!origin_.empty()) {
            tx.set_origin(origin_);
        }
        for (std::size_t count = below(random_, 7); count > 0; --count) {
            change(tx);
        }
        if (below(random_, 20) == 0) {
            throw Refused();
        }
    }

    State& state() { return state_; }
    std::vector<OwnedMessage> take_messages() { return std::move(messages_); }

private:
    void change(Transaction& tx)
    {
        const std::string& bucket = one_of(random_, buckets);
        const std::string& key = one_of(random_, keys);
        const Structure structure = below(random_, 3) == 0 ? Structure::set : Structure::btree;
        if (!state_.buckets.contains({structure, bucket})) {
            tx.create_bucket(structure, bucket);
            state_.buckets.insert({structure, bucket});
            record(structure, Operation::bucket_created, bucket, {}, {});
        } else if (below(random_, 40) == 0) {
            drop(tx, structure, bucket);
        } else if (structure == Structure::btree) {
            change_value(tx, bucket, key);
        } else {
            change_set(tx, bucket, key);
        }
    }

    void drop(Transaction& tx, Structure structure, const std::string& bucket)
    {
        tx.delete_bucket(structure, bucket);
        state_.buckets.erase({structure, bucket});
        const auto of_bucket = [&](const auto& entry) { return entry.first.first == bucket; };
        if (structure == Structure::btree) {
            std::erase_if(state_.values, of_bucket);
        } else {
            std::erase_if(state_.sets, of_bucket);
        }
        const bool last = std::ranges::none_of(
            state_.buckets, [&](const Name& each) { return each.second == bucket; });
        record(structure, Operation::bucket_deleted, bucket, {}, {}, last);
    }

    void change_value(Transaction& tx, const std::string& bucket, const std::string& key)
    {
        BTree tree = tx.btree(bucket);
        if (below(random_, 3) != 0) {
            const std::string value(below(random_, 40), static_cast<char>('a' + random_() % 26));
            tree.put(key, value);
            state_.values[{bucket, key}] = value;
            record(Structure::btree, Operation::put, bucket, key, value);
        } else if (tree.erase(key)) {
            state_.values.erase({bucket, key});
            record(Structure::btree, Operation::erase, bucket, key, {});
        }
    }

    void change_set(Transaction& tx, const std::string& bucket, const std::string& key)
    {
        Set set = tx.set(bucket);
        std::set<std::string>& members = state_.sets[{bucket, key}];
        const std::string member(1, static_cast<char>('m' + random_() % 4));
        switch (below(random_, 8)) {
        case 0:
            set.erase(key);
            if (!members.empty()) {
                record(Structure::set, Operation::erase, bucket, key, {});
            }
            members.clear();
            break;
        case 1:
        case 2:
            set.remove(key, member);
            if (members.erase(member) != 0) {
                record(Structure::set, Operation::remove, bucket, key, member);
            }
            break;
        default:
            set.add(key, member);
            if (members.insert(member).second) {
                record(Structure::set, Operation::add, bucket, key, member);
            }
        }
    }

    void record(Structure structure, Operation operation, std::string_view bucket,
                std::string_view key, std::string_view value, bool ends_bucket = false)
    {
        Message message;
        message.index = static_cast<std::uint32_t>(messages_.size());
        message.structure = structure;
        message.operation = operation;
        message.bucket = bucket;
        message.key = key;
        message.value = value;
        message.origin = origin_;
        message.ends_bucket = ends_bucket;
        messages_.emplace_back(message);
    }

    Random& random_;
    State state_;
    std::string origin_;
    std::vector<OwnedMessage> messages_;
};

Task RandomCommits::commit(Database db)
{
    std::vector<OwnedMessage> messages;
    auto transaction = [&](Transaction& tx) {
        Step step(random_, state_);
        step.run(tx);
        state_ = std::move(step.state());
        messages = step.take_messages();
    };
    try {
        const Revision revision = co_await db.update(transaction);
        if (!messages.empty()) {
            acknowledged(revision, std::move(messages));
        }
    } catch (const Refused&) {
        // Nothing of this transaction may ever be seen.
    }
}

Task RandomCommits::commit_some(Database db, std::size_t count)
{
    std::vector<Job> jobs;
    for (; count > 0; --count) {
        jobs.push_back(co_await spawn(commit(db)));
    }
    for (const Job& each : jobs) {
        co_await each.join();
    }
}

void RandomCommits::acknowledged(Revision revision, std::vector<OwnedMessage> messages)
{
    contract::Made made{revision, {}};
    for (const OwnedMessage& each : messages) {
        Message message = *each;
        message.revision = revision;
        message.first_revision = revision;
        made.messages.emplace_back(message);
    }
    // Transactions that were queued may be acknowledged in a different order.
    const auto at = std::ranges::upper_bound(history_, revision, {}, &contract::Made::revision);
    history_.insert(at, std::move(made));
}

Selectors random_selectors(Random& random)
{
    if (below(random, 8) == 0) {
        return whole_database();
    }
    std::vector<BucketSelector> selectors;
    do {
        const std::string& key = one_of(random, keys);
        const std::string& other = one_of(random, keys);
        const std::string& bucket = one_of(random, buckets);
        switch (below(random, 6)) {
        case 0:
            selectors.push_back(in(bucket, all()));
            break;
        case 1:
            selectors.push_back(in(bucket, prefix(key)));
            break;
        case 2:
            selectors.push_back(in(bucket, key < other ? range(key, other) : range(key, "")));
            break;
        case 3:
            selectors.push_back(in(bucket, glob(below(random, 2) == 0 ? "a*" : "?/[13]")));
            break;
        default:
            selectors.push_back(
                in(bucket, test::below(random, 9) == 0 ? prefix("") : keywatch::key(key)));
        }
    } while (below(random, 2) == 0);
    return Selectors(std::move(selectors));
}

Filter random_filter(Random& random)
{
    Filter filter;
    switch (below(random, 12)) {
    case 0:
        filter.structures = {Structure::set};
        break;
    case 1:
        filter.operations = {Operation::put, Operation::remove};
        break;
    case 2:
        filter.except_origin = "me";
        break;
    case 3:
        filter.origin = "";
        break;
    case 4:
        filter.predicate = [](const Message& message) { return message.value.size() % 2 == 0; };
        break;
    default:
        break;
    }
    return filter;
}

}  // namespace keywatch::test
