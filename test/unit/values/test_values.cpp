// SPDX-License-Identifier: BSL-1.0
#include <keywatch/error.hpp>
#include <keywatch/message.hpp>
#include <keywatch/position.hpp>
#include <keywatch/watch_end.hpp>

#include "support/printing.hpp"
#include "support/watch/commits.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;

namespace {

Position example(Revision revision)
{
    Position position;
    for (std::size_t i = 0; i < position.history.bytes.size(); ++i) {
        position.history.bytes[i] = static_cast<std::uint8_t>(i * 17);
    }
    position.revision = revision;
    return position;
}

const std::string example_text = "00112233445566778899aabbccddeeff:42";

/// Copies a message, then overwrites the bytes of the original.
OwnedMessage copy_of(std::string key, std::string value, std::optional<std::string> previous)
{
    std::string bucket = "bucket";
    Message message;
    message.revision = 7;
    message.bucket = bucket;
    message.key = key;
    message.value = value;
    if (previous) {
        message.previous = *previous;
    }
    OwnedMessage copy(message);
    for (std::string* each : {&bucket, &key, &value}) {
        each->assign(each->size(), '#');
    }
    if (previous) {
        previous->assign(previous->size(), '#');
    }
    return copy;
}

void check(const OwnedMessage& message, const std::string& text)
{
    BOOST_TEST(message->revision == 7U);
    BOOST_TEST(message->bucket == "bucket");
    BOOST_TEST(message->key == text);
    BOOST_TEST(message->value == text);
    BOOST_TEST(message->previous == text);
}

using Names = std::vector<std::string>;

/// Returns the printed names of all enumerators, in order; any other value of the type is printed
/// as unknown.
template <class Enumerator>
Names names_of()
{
    Names names;
    for (unsigned number = 0; number < 256; ++number) {
        const auto enumerator = static_cast<Enumerator>(number);
        std::ostringstream out;
        out << enumerator;
        BOOST_TEST(out.str() == to_string(enumerator));
        if (out.str() != "unknown") {
            names.push_back(out.str());
        }
    }
    return names;
}

}  // namespace

// Position, Message and OwnedMessage, Error, names of enumerators.
BOOST_AUTO_TEST_SUITE(test_values)

BOOST_AUTO_TEST_CASE(a_position_is_text_and_back)
{
    BOOST_TEST(to_string(example(42)) == example_text);
    for (const Revision revision :
         {Revision{0}, Revision{42}, std::numeric_limits<Revision>::max()}) {
        BOOST_TEST(parse_position(to_string(example(revision))) == example(revision));
    }
    std::ostringstream out;
    out << example(42);
    BOOST_TEST(out.str() == example_text);
    Position within = example(42);
    for (const std::uint32_t seen : {1U, 17U, std::numeric_limits<std::uint32_t>::max()}) {
        within.seen_of_next = seen;
        BOOST_TEST(to_string(within) == example_text + '+' + std::to_string(seen));
        BOOST_TEST(parse_position(to_string(within)) == within);
        BOOST_TEST(within != example(42));
    }
}

BOOST_AUTO_TEST_CASE(a_text_that_is_not_exactly_a_position_is_none)
{
    const std::string digits = example_text.substr(0, 32);
    for (const std::string& text : {std::string(),
                                    std::string("42"),
                                    digits,
                                    digits + ":",
                                    digits + "-42",
                                    digits + ":-1",
                                    digits + ":+1",
                                    digits + ": 1",
                                    digits + ":01",
                                    digits + ":1 ",
                                    digits + ":0x1",
                                    digits + ":18446744073709551616",
                                    digits + ":1+",
                                    digits + ":1+0",
                                    digits + ":1+01",
                                    digits + ":1+-1",
                                    digits + ":1+4294967296",
                                    digits + ":1+1+1",
                                    digits + ":1 +1",
                                    digits + ":+1+1",
                                    "0" + example_text,
                                    example_text.substr(1),
                                    "G" + example_text.substr(1),
                                    digits.substr(0, 31) + "F:42",
                                    example_text + '\0'}) {
        BOOST_TEST(!parse_position(text), text);
    }
}

BOOST_AUTO_TEST_CASE(an_owned_message_keeps_its_bytes)
{
    for (const std::string& text :
         {std::string(), std::string("s"), std::string(100, 'l'), std::string("a\0b", 3)}) {
        check(copy_of(text, text, text), text);
    }
    const OwnedMessage without = copy_of("k", "", std::nullopt);
    BOOST_TEST(!without->previous);
    const OwnedMessage empty = copy_of("k", "", "");
    BOOST_TEST(empty->previous == "");  // an empty previous value differs from an unknown one
}

BOOST_AUTO_TEST_CASE(owned_messages_are_copied_and_moved)
{
    for (const std::string& text : {std::string("short"), std::string(100, 'l')}) {
        std::optional<OwnedMessage> first = copy_of(text, text, text);
        OwnedMessage copy = *first;
        OwnedMessage moved = std::move(*first);
        first.reset();
        check(copy, text);
        check(moved, text);
        OwnedMessage target = copy_of("other", "", std::nullopt);
        target = copy;
        check(target, text);
        target = std::move(copy);
        check(target, text);
        OwnedMessage& self = target;
        target = self;
        check(target, text);
        std::vector<OwnedMessage> many;
        for (int i = 0; i < 10; ++i) {
            many.push_back(target);
        }
        check(many.front(), text);
    }
}

BOOST_AUTO_TEST_CASE(a_moved_from_message_has_no_views)
{
    OwnedMessage message = copy_of("k", "v", "p");
    const OwnedMessage taken = std::move(message);
    BOOST_TEST(message->key.empty());
    BOOST_TEST(message->bucket.empty());
    BOOST_TEST(!message->previous);
    message = taken;
    BOOST_TEST(message->key == "k");
}

// W4
BOOST_AUTO_TEST_CASE(a_commit_shows_what_was_selected_and_marks_the_last)
{
    const auto record = make_commit(3, {put_of("a"), put_of("b"), put_of("c")});
    const std::vector<std::uint32_t> selected{0, 1};
    const auto keys = [](const Commit& commit) {
        std::string text;
        for (const Message& message : commit) {
            text += std::string(message.key) + (message.last_in_commit ? "!" : "");
        }
        return text;
    };
    BOOST_TEST(keys(Commit(*record, nullptr)) == "abc!");
    BOOST_TEST(keys(Commit(*record, &selected)) == "ab!");
    BOOST_TEST(Commit(*record, &selected).size() == 2U);
    BOOST_TEST(!record->messages[2].last_in_commit);
}

BOOST_AUTO_TEST_CASE(what_a_commit_pins_counts_its_bytes_and_messages)
{
    const auto small = make_commit(1, {put_of("k")});
    const auto long_key = make_commit(1, {put_of(std::string(10000, 'k'))});
    const auto many = make_commit(1, std::vector<DraftMessage>(1000, put_of("k")));
    BOOST_TEST(long_key->pinned_bytes() >= small->pinned_bytes() + 9000);
    BOOST_TEST(many->pinned_bytes() >= 1000 * sizeof(Message));
}

BOOST_AUTO_TEST_CASE(every_enumerator_has_a_name_that_is_also_printed)
{
    BOOST_TEST(names_of<Structure>() == (Names{"btree", "list", "set", "sorted_set"}));
    BOOST_TEST(names_of<Operation>() ==
               (Names{"put", "erase", "bucket_created", "bucket_deleted", "push_front", "push_back",
                      "pop_front", "pop_back", "insert", "set", "remove", "trim", "add", "rescore",
                      "ttl", "gap", "synced", "progress"}));
    BOOST_TEST(names_of<Cause>() == (Names{"user", "expired", "bucket_deleted"}));
    BOOST_TEST(names_of<EndReason>() ==
               (Names{"stopped", "cancelled", "database_closed", "bucket_deleted", "drained"}));
}

BOOST_AUTO_TEST_CASE(every_error_has_a_sentence_of_its_own)
{
    std::set<std::string> sentences;
    for (int value = 1; value <= static_cast<int>(Error::bulk_writer_in_use); ++value) {
        const std::string sentence = make_error_code(static_cast<Error>(value)).message();
        BOOST_TEST(sentence != "unknown keywatch error");
        BOOST_TEST(sentences.insert(sentence).second, sentence);
    }
    BOOST_TEST(make_error_code(static_cast<Error>(9999)).message() == "unknown keywatch error");
    BOOST_TEST(error_category().name() == std::string("keywatch"));
    const boost::system::error_code code = Error::closed;
    BOOST_TEST(code == Error::closed);
    BOOST_TEST(code != Error::damaged);
}

// W6
BOOST_AUTO_TEST_CASE(compacted_contains_the_requested_and_the_oldest_revision)
{
    const Compacted error(5, 9);
    BOOST_TEST(error.code() == Error::compacted);
    BOOST_TEST(error.requested() == 5U);
    BOOST_TEST(error.oldest() == 9U);
    BOOST_TEST(std::string(error.what()).find("5") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
