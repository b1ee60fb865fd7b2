// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "set.hpp"

#include <keywatch/range.hpp>

#include <string_view>

/// What is read of sets in the order of their members. Two sets are walked over side by side, each
/// with a cursor of its own; where one is far behind, it seeks. So a small set is compared with a
/// huge one in a time that only the small one decides on. They may be in different buckets, and of
/// different transactions. What the places name is looked at when a range is started.
namespace keywatch::structures::set {

/// Those that begin with `prefix`.
Range<std::string_view> members(const Place& place, std::string_view prefix);

/// Those of `a` or `b`, of `a` and `b`, of `a` and not of `b`.
Range<std::string_view> unite(const Place& a, const Place& b);
Range<std::string_view> intersection(const Place& a, const Place& b);
Range<std::string_view> difference(const Place& a, const Place& b);

}  // namespace keywatch::structures::set
