// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "watch/subscription.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// Interests for tests of what only holds them, whatever they select.
namespace keywatch::test {

/// So many interests, of one subscription.
inline watch::SharedSubscription many_interests(std::size_t count)
{
    const Selectors selectors(std::vector<BucketSelector>(count, in("b", all())));
    return std::make_shared<watch::Subscription>(selectors, Filter(), watch::Budget{8, 8});
}

/// Which of `count` interests were met; none of them twice.
class Met {
public:
    explicit Met(std::size_t count) : met_(count) {}

    void operator()(const watch::Reference& reference)
    {
        BOOST_TEST_REQUIRE(!met_[reference.at]);
        met_[reference.at] = true;
        ++size_;
    }

    std::size_t size() const { return size_; }
    bool has(std::size_t at) const { return met_[at]; }

private:
    std::vector<bool> met_;
    std::size_t size_ = 0;
};

/// Those of a tree that has a key's, or all there are.
template <class Tree>
Met met_by(const Tree& tree, std::string_view key, std::size_t count)
{
    Met met(count);
    tree.match(key, [&](const watch::Reference& each) { met(each); });
    return met;
}
template <class Tree>
Met all_of(const Tree& tree, std::size_t count)
{
    Met met(count);
    tree.for_each([&](const watch::Reference& each) { met(each); });
    return met;
}

/// Up to `longest` bytes, of few different ones so that much coincides, zero and 255 among them.
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
