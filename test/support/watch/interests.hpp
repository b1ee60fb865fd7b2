// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "watch/subscription.hpp"

#include "support/called_at.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

// Interests for tests of containers, which do not look at the selectors.
namespace keywatch::test {

/// Returns a subscription with `count` interests.
inline watch::SharedSubscription many_interests(std::size_t count)
{
    const Selectors selectors(std::vector<BucketSelector>(count, in("b", all())));
    return std::make_shared<watch::Subscription>(selectors, Filter(), watch::Budget{8, 8});
}

/// The set of the interests that were visited; each may be visited once only.
class Met {
public:
    explicit Met(std::size_t count, std::source_location where = std::source_location::current())
        : met_(count), where_(where)
    {
    }

    void operator()(const watch::Reference& reference)
    {
        BOOST_TEST_REQUIRE(!met_[reference.at],
                           "an interest is visited twice, " << called_at(where_));
        met_[reference.at] = true;
        ++size_;
    }

    std::size_t size() const { return size_; }
    bool has(std::size_t at) const { return met_[at]; }

private:
    std::vector<bool> met_;
    std::size_t size_ = 0;
    std::source_location where_;
};

/// Returns the interests of a tree that match a key, and all interests.
template <class Tree>
Met met_by(const Tree& tree, std::string_view key, std::size_t count,
           std::source_location where = std::source_location::current())
{
    Met met(count, where);
    tree.match(key, [&](const watch::Reference& each) { met(each); });
    return met;
}
template <class Tree>
Met all_of(const Tree& tree, std::size_t count,
           std::source_location where = std::source_location::current())
{
    Met met(count, where);
    tree.for_each([&](const watch::Reference& each) { met(each); });
    return met;
}

/// Returns up to `longest` bytes. Only three values occur, so that many strings coincide; they
/// include zero and 255.
template <class Random>
std::string few_bytes(Random& random, std::size_t longest)
{
    std::string bytes(random() % (longest + 1), '\0');
    for (char& each : bytes) {
        each = "\0a\xff"[random() % 3];
    }
    return bytes;
}

}  // namespace keywatch::test
