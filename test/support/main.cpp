// SPDX-License-Identifier: BSL-1.0
// The main function of every test program.
#define BOOST_TEST_MODULE keywatch
// A signal ends the program, with the sanitizer's report or a core. By default it would be a failed
// check, and the next case would run in the damaged program.
#define BOOST_TEST_DEFAULTS_TO_CORE_DUMP
#include <boost/test/included/unit_test.hpp>

#include "tap_reporter.hpp"

#include <cstdlib>

namespace {

/// Lives as long as the program: Boost.Test may report until its own statics are destroyed.
bool report_to_meson()
{
    if (std::getenv("KEYWATCH_TAP") == nullptr) {
        return false;
    }
    static auto* reporter = new keywatch::test::TapReporter;
    boost::unit_test::framework::register_observer(*reporter);
    return true;
}

const bool reports_to_meson = report_to_meson();

}  // namespace
