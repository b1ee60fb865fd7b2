// SPDX-License-Identifier: BSL-1.0
#include "score.hpp"

#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <bit>
#include <charconv>
#include <cmath>
#include <system_error>

namespace keywatch::structures {

namespace {

constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;

}  // namespace

double checked_score(double score)
{
    if (std::isnan(score)) {
        fail(Error::invalid_score);
    }
    return score == 0 ? 0.0 : score;
}

std::uint64_t sortable_bits(double score) noexcept
{
    const auto bits = std::bit_cast<std::uint64_t>(score);
    return (bits & sign_bit) != 0 ? ~bits : bits | sign_bit;
}

double score_from_bits(std::uint64_t bits) noexcept
{
    return std::bit_cast<double>((bits & sign_bit) != 0 ? bits & ~sign_bit : ~bits);
}

std::string score_text(double score)
{
    char text[32];
    const std::to_chars_result result = std::to_chars(text, text + sizeof text, score);
    return {text, result.ptr};
}

double parse_score(std::string_view text)
{
    double score = 0;
    const char* const end = text.data() + text.size();
    const std::from_chars_result result = std::from_chars(text.data(), end, score);
    if (result.ec != std::errc{} || result.ptr != end || std::isnan(score)) {
        fail(Error::damaged, "the score of a member of a sorted set");
    }
    return score;
}

}  // namespace keywatch::structures
