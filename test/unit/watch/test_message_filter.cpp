// SPDX-License-Identifier: BSL-1.0
#include "watch/message_filter.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

using namespace keywatch;
using namespace keywatch::watch;

namespace {

Message message_of(Structure structure, Operation operation, Cause cause = Cause::user)
{
    Message message;
    message.structure = structure;
    message.operation = operation;
    message.cause = cause;
    return message;
}

Message message_by(std::string_view origin)
{
    Message message;
    message.origin = origin;
    return message;
}

bool passes(const Filter& filter, const Message& message)
{
    return MessageFilter(filter).passes(message);
}

}  // namespace

// `MessageFilter`: which messages pass.
BOOST_AUTO_TEST_SUITE(test_message_filter)

BOOST_AUTO_TEST_CASE(an_empty_filter_passes_everything)
{
    for (unsigned operation = 1; operation <= 18; ++operation) {
        for (const Structure structure :
             {Structure::btree, Structure::list, Structure::set, Structure::sorted_set}) {
            BOOST_TEST(passes(Filter(), message_of(structure, static_cast<Operation>(operation))));
        }
    }
    BOOST_TEST(passes(Filter(), message_by("me")));
}

BOOST_AUTO_TEST_CASE(each_list_passes_only_its_own_values)
{
    Filter structures;
    structures.structures = {Structure::list, Structure::set};
    BOOST_TEST(passes(structures, message_of(Structure::list, Operation::remove)));
    BOOST_TEST(passes(structures, message_of(Structure::set, Operation::remove)));
    BOOST_TEST(!passes(structures, message_of(Structure::btree, Operation::put)));
    BOOST_TEST(!passes(structures, message_of(Structure::sorted_set, Operation::remove)));
    Filter operations;
    operations.operations = {Operation::ttl};
    BOOST_TEST(passes(operations, message_of(Structure::btree, Operation::ttl)));
    BOOST_TEST(!passes(operations, message_of(Structure::btree, Operation::put)));
    BOOST_TEST(!passes(operations, message_of(Structure::btree, Operation::rescore)));
    Filter causes;
    causes.causes = {Cause::expired};
    BOOST_TEST(passes(causes, message_of(Structure::btree, Operation::erase, Cause::expired)));
    BOOST_TEST(!passes(causes, message_of(Structure::btree, Operation::erase)));
}

BOOST_AUTO_TEST_CASE(all_of_a_filter_must_hold)
{
    Filter filter;
    filter.structures = {Structure::btree};
    filter.operations = {Operation::erase};
    filter.causes = {Cause::user};
    filter.except_origin = "me";
    Message message = message_of(Structure::btree, Operation::erase);
    BOOST_TEST(passes(filter, message));
    message.origin = "me";
    BOOST_TEST(!passes(filter, message));
    BOOST_TEST(!passes(filter, message_of(Structure::list, Operation::erase)));
    BOOST_TEST(!passes(filter, message_of(Structure::btree, Operation::put)));
    BOOST_TEST(!passes(filter, message_of(Structure::btree, Operation::erase, Cause::expired)));
}

BOOST_AUTO_TEST_CASE(origins_are_compared_whole_and_none_is_an_empty_one)
{
    Filter only;
    only.origin = "me";
    BOOST_TEST(passes(only, message_by("me")));
    BOOST_TEST(!passes(only, message_by("mee")));
    BOOST_TEST(!passes(only, message_by("")));
    Filter nobody;
    nobody.origin = "";
    BOOST_TEST(passes(nobody, message_by("")));
    BOOST_TEST(!passes(nobody, message_by("me")));
    Filter except;
    except.except_origin = "me";
    BOOST_TEST(!passes(except, message_by("me")));
    BOOST_TEST(passes(except, message_by("m")));
    BOOST_TEST(passes(except, message_by("")));
    Filter somebody;
    somebody.except_origin = "";
    BOOST_TEST(!passes(somebody, message_by("")));
    BOOST_TEST(passes(somebody, message_by("me")));
}

// W11: otherwise a watch would not learn that nothing follows.
BOOST_AUTO_TEST_CASE(the_end_of_a_bucket_is_never_skipped)
{
    Filter filter;
    filter.structures = {Structure::list};
    filter.operations = {Operation::put};
    filter.causes = {Cause::expired};
    filter.origin = "me";
    filter.except_origin = "me";
    Message message = message_of(Structure::btree, Operation::bucket_deleted);
    BOOST_TEST(!passes(filter, message));
    message.ends_bucket = true;
    BOOST_TEST(passes(filter, message));
}

BOOST_AUTO_TEST_SUITE_END()
