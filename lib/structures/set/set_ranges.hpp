// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "set.hpp"

#include <keywatch/range.hpp>

#include <string_view>

/// Ranges over sets, in the order of their members. Two sets are read side by side, each with a
/// cursor of its own. If one cursor lags far, it seeks. So the time to compare a small set with a
/// huge one depends only on the small one. The sets may be in different buckets, and of different
/// transactions. They are looked up when a range is started.
namespace keywatch::structures::set {

/// Returns the members that begin with `prefix`.
Range<std::string_view> members(const SetRef& of, std::string_view prefix);

/// The following return the members of `a` or `b`, of `a` and `b`, of `a` and not of `b`.
Range<std::string_view> unite(const SetRef& a, const SetRef& b);
Range<std::string_view> intersection(const SetRef& a, const SetRef& b);
Range<std::string_view> difference(const SetRef& a, const SetRef& b);

}  // namespace keywatch::structures::set
