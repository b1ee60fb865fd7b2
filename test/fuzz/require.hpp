// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdlib>
#include <iostream>

namespace keywatch::test {

/// Ends the program unless the condition holds, so that the fuzzer keeps the input.
inline void require(bool holds, const char* what)
{
    if (!holds) {
        std::cerr << "not so: " << what << std::endl;
        std::abort();
    }
}

}  // namespace keywatch::test
