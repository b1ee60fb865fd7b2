// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "storage/store.hpp"
#include "support/called_at.hpp"
#include "support/printing.hpp"
#include "support/storage/store_tools.hpp"
#include "support/storage/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <source_location>
#include <string>

namespace keywatch::test {

/// A place for a database in a temporary directory.
struct DatabaseDirectory {
    TemporaryDirectory directory;
    std::string path = directory / "db";

    Options options() const { return Options(path); }

    /// Creates a database with a few commits and closes it.
    void make_database(int commits = 3)
    {
        const auto store = storage::Store::open(options());
        Committer committer(*store);
        for (int i = 0; i < commits; ++i) {
            committer.commit();
        }
    }

    /// Checks that opening fails with this error and leaves everything unchanged.
    void check_refused(Error expected, std::source_location where = std::source_location::current())
    {
        BOOST_TEST_INFO_SCOPE(called_at(where));
        const auto before = files_below(directory.path());
        BOOST_TEST(error_of([&] { storage::Store::open(options()); }) == expected);
        const auto after = files_below(directory.path());
        BOOST_TEST(before == after);
        for (const auto& [name, bytes] : after) {
            if (const auto found = before.find(name); found == before.end()) {
                BOOST_ERROR("left behind: " << name);
            }
        }
    }
};

}  // namespace keywatch::test
