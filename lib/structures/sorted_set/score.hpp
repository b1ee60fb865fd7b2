// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Scores of sorted sets: any number except NaN; -0 is 0.
namespace keywatch::structures {

/// Returns the score as it is stored. Throws `Error::invalid_score` for NaN.
double checked_score(double score);

/// Returns a number that sorts like the score. There is always one between it and 2^64 - 1.
std::uint64_t sortable_bits(double score) noexcept;
double score_from_bits(std::uint64_t bits) noexcept;

/// Returns the shortest decimal text from which the same score is read; "inf" and "-inf".
std::string score_text(double score);
/// Parses a score. Throws `Error::damaged` if the text is not a score.
double parse_score(std::string_view text);

}  // namespace keywatch::structures
