// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/test/tree/observer.hpp>

#include <set>

namespace keywatch::test {

/// Writes one line of TAP per test case to standard output. The caller of the program can count the
/// cases, and recognizes a program that died in the middle: the plan is written last.
///
/// Nothing else may be written to standard output while it is in use.
class TapReporter : public boost::unit_test::test_observer {
public:
    void test_unit_start(const boost::unit_test::test_unit& unit) override;
    void test_unit_finish(const boost::unit_test::test_unit& unit, unsigned long elapsed) override;
    void test_unit_skipped(const boost::unit_test::test_unit& unit,
                           boost::unit_test::const_string reason) override;
    void test_unit_aborted(const boost::unit_test::test_unit& unit) override;
    void test_finish() override;

    /// Runs after Boost.Test's own collector of results, which must know the results first.
    int priority() override { return 100; }

private:
    unsigned cases_ = 0;
    std::set<boost::unit_test::test_unit_id> aborted_;
};

}  // namespace keywatch::test
