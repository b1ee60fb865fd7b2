// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "delivery_search.hpp"

#include "support/called_at.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <source_location>
#include <string>
#include <vector>

namespace keywatch::test {

using Histories = std::vector<std::string>;

/// The longer ones with KEYWATCH_ALL.
inline Histories fewer(Histories some, Histories all)
{
    return std::getenv("KEYWATCH_ALL") != nullptr ? all : some;
}

inline DeliverySearch check_one_form(const Histories& histories, const DeliveryScenario& kind,
                                     std::source_location where = std::source_location::current())
{
    BOOST_TEST_INFO_SCOPE(called_at(where));
    const DeliverySearch found = search_all(histories, kind);
    BOOST_TEST(found.failure == "");
    BOOST_TEST(found.ends > 0U);
    BOOST_TEST_MESSAGE(found.states << " states, " << found.ends << " ends, " << found.given_up
                                    << " after giving up");
    return found;
}

/// Searches all of these, of a watch with a callback and of one that is pulled.
inline DeliverySearch check_all(const Histories& histories, DeliveryScenario kind = {},
                                std::source_location where = std::source_location::current())
{
    DeliverySearch both;
    for (const bool pulled : {false, true}) {
        kind.pulled = pulled;
        BOOST_TEST_CONTEXT((pulled ? "pulled" : "a callback"))
        {
            both.add(check_one_form(histories, kind, where));
        }
    }
    return both;
}

}  // namespace keywatch::test
