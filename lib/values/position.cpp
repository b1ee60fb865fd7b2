// SPDX-License-Identifier: BSL-1.0
#include <keywatch/position.hpp>

#include <charconv>
#include <cstddef>
#include <ostream>
#include <system_error>
#include <tuple>

namespace [[gnu::visibility("default")]] keywatch {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::size_t id_digits = 2 * std::tuple_size_v<decltype(HistoryId::bytes)>;

}  // namespace

std::string to_string(const Position& position)
{
    std::string text;
    text.reserve(id_digits + 32);
    for (const std::uint8_t byte : position.history.bytes) {
        text += hex_digits[byte >> 4];
        text += hex_digits[byte & 0xf];
    }
    text += ':';
    text += std::to_string(position.revision);
    if (position.seen_of_next != 0) {
        text += '+';
        text += std::to_string(position.seen_of_next);
    }
    return text;
}

std::optional<Position> parse_position(std::string_view text)
{
    if (text.size() <= id_digits + 1 || text[id_digits] != ':') {
        return std::nullopt;
    }
    Position position;
    for (std::size_t i = 0; i < id_digits; ++i) {
        const std::size_t digit = hex_digits.find(text[i]);
        if (digit == std::string_view::npos) {
            return std::nullopt;
        }
        std::uint8_t& byte = position.history.bytes[i / 2];
        byte = static_cast<std::uint8_t>(byte << 4 | digit);
    }
    const char* const last = text.data() + text.size();
    auto [end, error] = std::from_chars(text.data() + id_digits + 1, last, position.revision);
    if (error == std::errc() && end != last && *end == '+') {
        const auto seen = std::from_chars(end + 1, last, position.seen_of_next);
        end = seen.ptr;
        error = seen.ec;
    }
    // Each position has exactly one text.
    if (error != std::errc() || end != last || to_string(position) != text) {
        return std::nullopt;
    }
    return position;
}

std::ostream& operator<<(std::ostream& out, const Position& position)
{
    return out << to_string(position);
}

}  // namespace keywatch
