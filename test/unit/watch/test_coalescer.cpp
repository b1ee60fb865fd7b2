// SPDX-License-Identifier: BSL-1.0
#include "watch/coalescer.hpp"

#include "support/printing.hpp"
#include "support/watch/commits.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace keywatch::watch;

namespace {

using Strings = std::vector<std::string>;

/// Returns `<revision>.<index> <operation> <key>` of each message, and `<since>` if it differs.
Strings lines_of(const std::vector<Entry>& entries)
{
    Strings lines;
    for (const Entry& entry : entries) {
        const Commit commit(*entry.commit, entry.selected.empty() ? nullptr : &entry.selected,
                            entry.since.empty() ? nullptr : &entry.since);
        for (const Message& each : commit) {
            lines.push_back(std::to_string(each.revision) + '.' + std::to_string(each.index) + ' ' +
                            std::string(to_string(each.operation)) + ' ' + std::string(each.key));
            if (each.first_revision != each.revision) {
                lines.back() += " since " + std::to_string(each.first_revision);
            }
        }
    }
    return lines;
}

std::vector<Entry> entries_of(const std::vector<SharedRecord>& commits)
{
    std::vector<Entry> entries;
    for (const SharedRecord& each : commits) {
        entries.push_back({each, {}});
    }
    return entries;
}

void check(const std::vector<SharedRecord>& commits, const Strings& expected)
{
    BOOST_TEST(lines_of(coalesce(entries_of(commits))) == expected);
}

/// Returns a message of any kind, of one of few elements.
DraftMessage random_change(std::mt19937& random)
{
    constexpr Operation operations[] = {
        Operation::put,     Operation::put,           Operation::erase,      Operation::ttl,
        Operation::add,     Operation::remove,        Operation::push_front, Operation::trim,
        Operation::rescore, Operation::bucket_created};
    DraftMessage change{operations[random() % std::size(operations)],
                        std::string(1, "ab"[random() % 2]), "k" + std::to_string(random() % 3),
                        "v" + std::to_string(random() % 2)};
    return change;
}

/// Computes the same result by comparing each message with all later ones.
class Naive {
public:
    void add(const Entry& entry)
    {
        for (std::size_t at = 0; at < entry.messages(); ++at) {
            const auto place =
                entry.selected.empty() ? static_cast<std::uint32_t>(at) : entry.selected[at];
            const Message& message = entry.commit->messages[place];
            messages_.emplace_back(&message,
                                   entry.since.empty() ? message.revision : entry.since[at]);
        }
    }
    Strings lines() const
    {
        Strings lines;
        for (auto at = messages_.begin(); at != messages_.end(); ++at) {
            const auto& [message, since] = *at;
            if (std::any_of(at + 1, messages_.end(),
                            [&](const auto& later) { return same(*message, *later.first); })) {
                continue;
            }
            Revision first = since;
            for (auto before = messages_.begin(); before != at; ++before) {
                if (same(*before->first, *message)) {
                    first = std::min(first, before->second);
                }
            }
            lines.push_back(
                std::to_string(message->revision) + '.' + std::to_string(message->index) + ' ' +
                std::string(to_string(message->operation)) + ' ' + std::string(message->key));
            if (first != message->revision) {
                lines.back() += " since " + std::to_string(first);
            }
        }
        return lines;
    }

private:
    static std::tuple<std::string_view, std::string_view, Structure> key_of(const Message& m)
    {
        return {m.bucket, m.key, m.structure};
    }
    static bool same(const Message& a, const Message& b)
    {
        const bool is_set = a.structure == Structure::set || a.structure == Structure::sorted_set;
        const auto kind = [&](const Message& m) {
            if (m.operation == Operation::ttl) {
                return 1;
            }
            return is_set && m.operation == Operation::erase ? 2 : 0;
        };
        return key_of(a) == key_of(b) && a.operation != Operation::bucket_created &&
               b.operation != Operation::bucket_created && kind(a) == kind(b) &&
               (!is_set || kind(a) != 0 || a.value == b.value);
    }

    std::vector<std::pair<const Message*, Revision>> messages_;
};

SharedRecord random_commit(Revision revision, std::mt19937& random)
{
    std::vector<DraftMessage> changes;
    for (auto count = 1 + random() % 4; count > 0; --count) {
        changes.push_back(random_change(random));
    }
    const auto commit = std::const_pointer_cast<CommitRecord>(make_commit(revision, changes));
    for (Message& each : commit->messages) {
        each.structure = static_cast<Structure>(1 + random() % 4);
    }
    return commit;
}

/// Returns the highest possible position before the entry: everything undelivered, including what
/// undelivered messages stand for, must be after it.
Revision last_before(const std::vector<Entry>& entries, std::size_t at)
{
    Revision last = entries[at].commit->previous;
    for (; at < entries.size(); ++at) {
        for (const Revision each : entries[at].since) {
            last = std::min(last, each - 1);
        }
    }
    return last;
}

Message message_of(Structure structure, Operation operation, std::string_view value = {})
{
    Message message;
    message.structure = structure;
    message.operation = operation;
    message.bucket = "b";
    message.key = "k";
    message.value = value;
    return message;
}

}  // namespace

// `Coalescer`: only the newest message of each element stays.
BOOST_AUTO_TEST_SUITE(test_coalescer)

BOOST_AUTO_TEST_CASE(the_newest_message_of_each_key_stays_in_its_place)
{
    check({commit_of(1, "a"), commit_of(2, "b"), commit_of(3, "a"), commit_of(4, "c")},
          {"2.0 put b", "3.0 put a since 1", "4.0 put c"});
}

BOOST_AUTO_TEST_CASE(the_last_message_of_a_key_in_one_commit_is_kept)
{
    check({make_commit(1, {put_of("a"), put_of("b"), put_of("a")}),
           make_commit(2, {put_of("c"), put_of("b")})},
          {"1.2 put a", "2.0 put c", "2.1 put b since 1"});
}

BOOST_AUTO_TEST_CASE(a_message_that_stands_for_others_already_keeps_their_first)
{
    std::vector<Entry> entries = coalesce(entries_of({commit_of(1, "a"), commit_of(3, "a")}));
    entries.push_back({commit_of(7, "a"), {}});
    entries = coalesce(std::move(entries));
    BOOST_TEST(lines_of(entries) == Strings{"7.0 put a since 1"});
    BOOST_TEST(entries[0].hold == 0U);
}

BOOST_AUTO_TEST_CASE(messages_that_are_not_selected_are_ignored)
{
    std::vector<Entry> entries;
    entries.push_back({make_commit(1, {put_of("a"), put_of("b")}), {1}});
    entries.push_back({make_commit(2, {put_of("a"), put_of("b")}), {0}});
    BOOST_TEST(lines_of(coalesce(std::move(entries))) == (Strings{"1.1 put b", "2.0 put a"}));
}

BOOST_AUTO_TEST_CASE(messages_about_buckets_are_kept_and_still_end_them)
{
    std::vector<Entry> entries;
    entries.push_back({make_commit(1, {put_of("a"), deletion_of("b")}), {}, {}, true});
    entries.push_back({make_commit(2, {creation_of("b"), put_of("a")}), {}});
    entries.push_back({make_commit(3, {deletion_of("b")}), {}, {}, true});
    entries = coalesce(std::move(entries));
    BOOST_TEST(lines_of(entries) == (Strings{"1.1 bucket_deleted ", "2.0 bucket_created ",
                                             "2.1 put a since 1", "3.0 bucket_deleted "}));
    BOOST_TEST(entries[0].loses);
    BOOST_TEST(!entries[1].loses);
    BOOST_TEST(entries[2].loses);
}

BOOST_AUTO_TEST_CASE(elements_are_told_apart)
{
    const auto same = [](const Message& a, const Message& b) {
        return element_of(a) == element_of(b);
    };
    using enum Operation;
    const auto in_set = [](Operation operation, std::string_view value = {}) {
        return message_of(Structure::sorted_set, operation, value);
    };
    const auto in_list = [](Operation operation, std::string_view value = {}) {
        return message_of(Structure::list, operation, value);
    };
    const auto in_tree = [](Operation operation) {
        return message_of(Structure::btree, operation, "v");
    };
    BOOST_TEST(same(in_tree(put), in_tree(erase)));
    BOOST_TEST(!same(in_tree(put), in_tree(ttl)));
    BOOST_TEST(!same(in_tree(put), in_list(push_back, "v")));
    BOOST_TEST(same(in_set(add, "m"), in_set(rescore, "m")));
    BOOST_TEST(!same(in_set(add, "m"), in_set(add, "n")));
    BOOST_TEST(!same(in_set(add, ""), in_set(erase)));
    BOOST_TEST(!same(in_set(erase), in_set(ttl)));
    BOOST_TEST(!same(in_set(add, "m"), message_of(Structure::set, add, "m")));
    BOOST_TEST(same(in_list(push_front, "x"), in_list(trim)));
    BOOST_TEST(same(in_list(push_front, "x"), in_list(erase)));
    BOOST_TEST(!same(in_list(push_front, "x"), in_list(ttl)));
    BOOST_TEST(!element_of(in_tree(bucket_created)).has_value());
    BOOST_TEST(!element_of(in_tree(gap)).has_value());
    BOOST_TEST(!element_of(in_tree(progress)).has_value());
    BOOST_TEST(!element_of(in_tree(synced)).has_value());
}

// W10: replaced messages are released at once.
BOOST_AUTO_TEST_CASE(a_hot_key_holds_one_commit)
{
    Coalescer coalescer;
    std::weak_ptr<const CommitRecord> first;
    for (Revision revision = 1; revision <= 1000; ++revision) {
        const SharedRecord commit = commit_of(revision);
        if (revision == 1) {
            first = commit;
        }
        coalescer.add({commit, {}});
        BOOST_TEST(coalescer.messages() == 1U);
        // In addition to the commit, only the space of one message in a list.
        BOOST_TEST(coalescer.bytes() >= commit->pinned_bytes());
        BOOST_TEST(coalescer.bytes() <= commit->pinned_bytes() + 2 * sizeof(Revision));
    }
    BOOST_TEST(first.expired());
    BOOST_TEST(coalescer.take().size() == 1U);
    BOOST_TEST(coalescer.messages() == 0U);
    BOOST_TEST(coalescer.bytes() == 0U);
}

// W7: the position waits for a message that stands for older ones, and for those before it.
BOOST_AUTO_TEST_CASE(the_position_waits_for_messages_that_stand_for_older_ones)
{
    const std::vector<Entry> entries =
        coalesce(entries_of({commit_of(1, "x"), commit_of(2, "a"), commit_of(3, "b"),
                             commit_of(4, "a"), commit_of(5, "c")}));
    BOOST_TEST_REQUIRE(entries.size() == 4U);
    BOOST_TEST(entries[0].follows() == 0U);  // x
    BOOST_TEST(through(entries, 0) == 1U);
    BOOST_TEST(entries[1].follows() == 1U);  // b of revision 3; a of revision 2 is missing
    BOOST_TEST(through(entries, 1) == 1U);
    BOOST_TEST(entries[2].follows() == 1U);  // a of revision 4
    BOOST_TEST(through(entries, 2) == 4U);
    BOOST_TEST(through(entries, 3) == 5U);
}

BOOST_AUTO_TEST_CASE(random_commits_equal_a_naive_implementation)
{
    const std::uint32_t seed = std::random_device()();
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 300; ++round) {
        Naive naive;
        std::vector<SharedRecord> kept;
        std::vector<Entry> entries;
        for (Revision revision = 1; revision <= 12; ++revision) {
            kept.push_back(random_commit(revision, random));
            Entry entry{kept.back(), {}};
            if (random() % 2 == 0) {
                entry.selected = {static_cast<std::uint32_t>(random() % entry.messages())};
            }
            naive.add(entry);
            entries.push_back(std::move(entry));
            if (random() % 4 == 0) {
                entries = coalesce(std::move(entries));
            }
        }
        entries = coalesce(std::move(entries));
        const Strings expected = naive.lines();
        BOOST_TEST(lines_of(entries) == expected);
        for (std::size_t at = 0; at < entries.size(); ++at) {
            BOOST_TEST(entries[at].follows() == last_before(entries, at));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
