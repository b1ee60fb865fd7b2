// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/search/delivery_search.hpp"

#include <boost/test/unit_test.hpp>

using namespace keywatch::test;
using Ending = keywatch::watch::DeliveryFsm::Ending;

// A selection of the searches of test/search, for the sanitizers too.
BOOST_AUTO_TEST_SUITE(test_quick_interleavings)

BOOST_AUTO_TEST_CASE(every_interleaving_of_a_short_history_keeps_the_promises_of_a_watch)
{
    const DeliverySearch found = search_quickly();
    BOOST_TEST(found.failure == "");
    BOOST_TEST(found.given_up > 0U);
    for (const Ending ending :
         {Ending::none, Ending::stopped, Ending::cancelled, Ending::bucket_deleted, Ending::drained,
          Ending::database_closed, Ending::pipeline_failed, Ending::overflow,
          Ending::predicate_failed, Ending::failed}) {
        BOOST_TEST(found.ended_as(ending) > 0U, "ending " << static_cast<int>(ending));
    }
}

BOOST_AUTO_TEST_SUITE_END()
