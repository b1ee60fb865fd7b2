// SPDX-License-Identifier: BSL-1.0
#include "contract_expectation.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <tuple>

namespace keywatch::test::contract {

namespace {

bool matches_key(const Selector& selector, std::string_view key)
{
    switch (selector.kind()) {
    case Selector::Kind::key:
        return selector.key() == key;
    case Selector::Kind::prefix:
        return key.substr(0, selector.key().size()) == selector.key();
    case Selector::Kind::range:
        return selector.key() <= key && (selector.end().empty() || key < selector.end());
    case Selector::Kind::glob:
        return fnmatch(selector.key().c_str(), std::string(key).c_str(), 0) == 0;
    case Selector::Kind::all:
        break;
    }
    return true;
}

bool matches(const BucketSelector& selector, const Message& message)
{
    if (selector.is_whole_database()) {
        return true;
    }
    if (selector.bucket() != message.bucket) {
        return false;
    }
    switch (message.operation) {
    case Operation::bucket_deleted:
        return true;
    case Operation::bucket_created:
        return selector.selector().kind() == Selector::Kind::all;
    default:
        return matches_key(selector.selector(), message.key);
    }
}

template <class T>
bool one_of(const std::vector<T>& some, T one)
{
    return some.empty() || std::ranges::find(some, one) != some.end();
}

bool brings_something(Operation operation)
{
    return operation == Operation::put || operation == Operation::push_front ||
           operation == Operation::push_back || operation == Operation::insert ||
           operation == Operation::set || operation == Operation::add ||
           operation == Operation::rescore;
}

bool passes(const Filter& filter, const Message& message)
{
    if (message.ends_bucket) {
        return true;
    }
    return one_of(filter.structures, message.structure) &&
           one_of(filter.operations, message.operation) && one_of(filter.causes, message.cause) &&
           (!filter.origin || *filter.origin == message.origin) &&
           (!filter.except_origin || *filter.except_origin != message.origin ||
            message.cause == Cause::expired) &&
           (!filter.predicate || !brings_something(message.operation) || filter.predicate(message));
}

/// The selectors whose buckets have not ended.
using Left = std::vector<BucketSelector>;

bool selects(const Left& left, const Message& message)
{
    return std::ranges::any_of(left, [&](const auto& each) { return matches(each, message); });
}

void lose(Left& left, const Message& message)
{
    if (message.ends_bucket) {
        std::erase_if(left, [&](const BucketSelector& each) {
            return !each.is_whole_database() && each.bucket() == message.bucket;
        });
    }
}

}  // namespace

std::vector<Expected> expectation(const std::vector<Made>& history, const Watched& watched,
                                  Revision start)
{
    std::vector<Expected> expected;
    Left left = watched.selectors.list();
    for (const Made& commit : history) {
        for (const OwnedMessage& each : commit.messages) {
            const bool seen = commit.revision == start + 1 && each->index < watched.seen_of_next;
            if (commit.revision <= start || seen) {
                continue;
            }
            if (selects(left, *each) && passes(watched.filter, *each)) {
                expected.push_back({{commit.revision, each->index}, &*each});
            }
            lose(left, *each);
        }
    }
    return expected;
}

bool ends_with_buckets(const std::vector<Expected>& expected, const Watched& watched,
                       Revision position)
{
    Left left = watched.selectors.list();
    for (const Expected& each : expected) {
        if (each.place.revision <= position) {
            lose(left, *each.message);
        }
    }
    return left.empty();
}

std::string describe(const Message& message)
{
    std::ostringstream text;
    text << message.revision << '.' << message.index << ' ' << message.structure << ' '
         << message.operation << ' ' << message.bucket << '/' << message.key << '='
         << message.value;
    if (message.operation == Operation::gap) {
        text << " from " << message.first_revision << ", " << message.count.value_or(0);
    }
    return text.str();
}

std::string describe_state(const Message& message)
{
    std::ostringstream text;
    text << message.structure << ' ' << message.operation << ' ' << message.bucket << '/'
         << message.key << '=' << message.value;
    return text.str();
}

std::vector<std::string> state_at(const std::vector<Made>& history, const Watched& watched,
                                  Revision revision)
{
    // The contents, as the messages that would create them.
    std::map<std::tuple<Structure, std::string, std::string, std::string>, Message> there;
    for (const Made& commit : history) {
        if (commit.revision > revision) {
            break;
        }
        for (const OwnedMessage& each : commit.messages) {
            const Message& message = *each;
            const std::string bucket(message.bucket);
            const std::string key(message.key);
            const bool btree = message.structure == Structure::btree;
            const std::string element = btree ? std::string() : std::string(message.value);
            if (message.operation == Operation::bucket_deleted) {
                std::erase_if(there, [&](const auto& entry) {
                    return std::get<0>(entry.first) == message.structure &&
                           std::get<1>(entry.first) == bucket;
                });
            } else if (message.operation == Operation::erase) {
                std::erase_if(there, [&](const auto& entry) {
                    return std::get<0>(entry.first) == message.structure &&
                           std::get<1>(entry.first) == bucket && std::get<2>(entry.first) == key;
                });
            } else if (message.operation == Operation::remove) {
                there.erase({message.structure, bucket, key, element});
            } else {
                there.insert_or_assign({message.structure, bucket, key, element}, message);
            }
        }
    }
    std::vector<std::string> state;
    for (const auto& [place, message] : there) {
        Message shown = message;
        shown.origin = {};
        if (selects(watched.selectors.list(), shown) && passes(watched.filter, shown)) {
            state.push_back(describe_state(shown));
        }
    }
    return state;
}

std::string element_of(const Message& message)
{
    std::string element(to_string(message.structure));
    element += '\0';
    element += message.bucket;
    element += '\0';
    element += message.key;
    switch (message.operation) {
    case Operation::ttl:
        return element + '\0' + "ttl";
    case Operation::bucket_created:
    case Operation::bucket_deleted:
        return element + '\0' + std::to_string(message.revision) + '.' +
               std::to_string(message.index);
    case Operation::add:
    case Operation::rescore:
        return element + '\0' + "member " + std::string(message.value);
    case Operation::remove:
        return message.structure == Structure::list
                   ? element
                   : element + '\0' + "member " + std::string(message.value);
    default:
        return element;
    }
}

}  // namespace keywatch::test::contract
