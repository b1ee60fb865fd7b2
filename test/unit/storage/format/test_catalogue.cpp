// SPDX-License-Identifier: BSL-1.0
#include "storage/format/catalogue.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

using namespace keywatch;
using namespace keywatch::storage;

// `Catalogue`: buckets by structure and name.
BOOST_AUTO_TEST_SUITE(test_catalogue)

BOOST_AUTO_TEST_CASE(a_name_is_found_only_with_its_structure)
{
    Catalogue catalogue;
    catalogue.add(Structure::btree, "users", {1, false});
    catalogue.add(Structure::set, "users", {2, false});
    BOOST_TEST(catalogue.find(Structure::btree, "users") == BucketId{1});
    BOOST_TEST(catalogue.find(Structure::set, "users") == BucketId{2});
    BOOST_CHECK(!catalogue.find(Structure::list, "users"));
    BOOST_CHECK(!catalogue.find(Structure::btree, "user"));
    BOOST_CHECK(!catalogue.find(Structure::btree, "userss"));
}

// The pipeline ends a bucket's watches when this becomes 0.
BOOST_AUTO_TEST_CASE(counts_the_structures_of_a_name)
{
    Catalogue catalogue;
    BOOST_TEST(catalogue.count("users") == 0U);
    catalogue.add(Structure::sorted_set, "users", {1, false});
    catalogue.add(Structure::btree, "users", {2, false});
    catalogue.add(Structure::btree, "other", {3, false});
    BOOST_TEST(catalogue.count("users") == 2U);
    BOOST_TEST(catalogue.count("other") == 1U);
}

BOOST_AUTO_TEST_CASE(lists_by_structure_then_by_name)
{
    Catalogue catalogue;
    catalogue.add(Structure::set, "a", {1, false});
    catalogue.add(Structure::btree, "b", {2, false});
    catalogue.add(Structure::btree, "a\xff", {3, false});
    catalogue.add(Structure::btree, std::string_view("a\0", 2), {4, false});
    const std::vector<Bucket> expected{{Structure::btree, std::string("a\0", 2)},
                                       {Structure::btree, "a\xff"},
                                       {Structure::btree, "b"},
                                       {Structure::set, "a"}};
    BOOST_TEST(catalogue.list() == expected);
}

BOOST_AUTO_TEST_CASE(applies_changes_in_order)
{
    Catalogue catalogue;
    catalogue.add(Structure::btree, "users", {1, false});
    catalogue.apply({{Structure::btree, "users", 1, CatalogueChange::Kind::deleted},
                     {Structure::btree, "users", 2, CatalogueChange::Kind::created},
                     {Structure::list, "jobs", 3, CatalogueChange::Kind::created},
                     {Structure::list, "jobs", 3, CatalogueChange::Kind::deleted}});
    BOOST_TEST(catalogue.find(Structure::btree, "users") == BucketId{2});
    BOOST_CHECK(!catalogue.find(Structure::list, "jobs"));
    BOOST_TEST(catalogue.list().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
