// SPDX-License-Identifier: BSL-1.0
// Fails with what a quick search finds wrong: the program of mutations.py.
#include "support/search/delivery_search.hpp"

#include <iostream>

int main()
{
    const keywatch::test::DeliverySearch found = keywatch::test::search_quickly();
    std::cout << found.states << " states, " << found.ends << " ends. " << found.failure << '\n';
    return found.failure.empty() ? 0 : 1;
}
