// SPDX-License-Identifier: BSL-1.0
#include "tap_reporter.hpp"

#include <boost/test/results_collector.hpp>
#include <boost/test/tree/test_unit.hpp>

#include <iostream>

namespace keywatch::test {

namespace unit_test = boost::unit_test;

void TapReporter::test_unit_start(const unit_test::test_unit& unit)
{
    if (unit.p_type == unit_test::TUT_CASE) {
        std::cout << "# running " << unit.full_name() << '\n' << std::flush;
    }
}

void TapReporter::test_unit_finish(const unit_test::test_unit& unit, unsigned long)
{
    if (unit.p_type != unit_test::TUT_CASE) {
        return;
    }
    const bool passed =
        unit_test::results_collector.results(unit.p_id).passed() && !aborted_.contains(unit.p_id);
    std::cout << (passed ? "ok " : "not ok ") << ++cases_ << " - " << unit.full_name() << '\n'
              << std::flush;
}

void TapReporter::test_unit_skipped(const unit_test::test_unit& unit, unit_test::const_string)
{
    if (unit.p_type == unit_test::TUT_CASE) {
        std::cout << "ok " << ++cases_ << " - " << unit.full_name() << " # SKIP" << '\n'
                  << std::flush;
    }
}

void TapReporter::test_unit_aborted(const unit_test::test_unit& unit)
{
    aborted_.insert(unit.p_id);
}

void TapReporter::test_finish()
{
    std::cout << "1.." << cases_ << '\n' << std::flush;
}

}  // namespace keywatch::test
