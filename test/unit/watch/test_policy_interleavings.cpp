// SPDX-License-Identifier: BSL-1.0
#include "support/join_scenarios.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace keywatch::test;
using keywatch::Overflow;

namespace {

/// Of two keys.
const std::vector<std::string> mixed_histories{"mnm", "mnD"};

}  // namespace

// As test_join_interleavings, of watches with a policy that leaves something out.
BOOST_AUTO_TEST_SUITE(test_policy_interleavings)

// W3: what the policies leave out is accounted for.
BOOST_AUTO_TEST_CASE(every_interleaving_accounts_for_what_a_policy_leaves_out)
{
    for (const Overflow overflow : {Overflow::skip, Overflow::latest, Overflow::stop}) {
        BOOST_TEST_CONTEXT("policy " << static_cast<int>(overflow))
        {
            const Total alone = search_all(mixed_histories, false, false, Fault::none, overflow);
            BOOST_TEST(alone.failure == "");
            BOOST_TEST(alone.ends > 0U);
            BOOST_TEST_MESSAGE(alone.states << " states, " << alone.ends << " ends");
            BOOST_TEST(search_all({"mn"}, true, false, Fault::none, overflow).failure == "");
            BOOST_TEST(search_all({"mD"}, false, true, Fault::none, overflow).failure == "");
        }
    }
}

BOOST_AUTO_TEST_CASE(going_ahead_of_what_a_newer_one_stands_for_is_caught)
{
    const Total total = search_all({"mnm"}, false, false, Fault::hold_ignored, Overflow::latest);
    BOOST_TEST(total.failure.find("ahead of an undelivered") != std::string::npos, total.failure);
}

BOOST_AUTO_TEST_SUITE_END()
