// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Scores of sorted sets: any number but NaN; -0 is 0.
namespace keywatch::structures {

/// The score as it is kept; throws `Error::invalid_score` for NaN.
double checked_score(double score);

/// Numbers in the order of the scores; there is always one between that of a score and 2^64 - 1.
std::uint64_t sortable_bits(double score) noexcept;
double score_from_bits(std::uint64_t bits) noexcept;

/// The shortest decimal text from which the same score is read; "inf" and "-inf".
std::string score_text(double score);
/// Throws `Error::damaged` if it is no such text.
double parse_score(std::string_view text);

}  // namespace keywatch::structures
