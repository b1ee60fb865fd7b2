// SPDX-License-Identifier: BSL-1.0
#include "format_text.hpp"

#include <charconv>
#include <random>

namespace keywatch::storage {

namespace {

constexpr std::size_t random_digits = 12;

}  // namespace

std::string format_line(std::string_view text, unsigned number)
{
    return std::string(text) + std::to_string(number) + "\n";
}

unsigned parse_format_line(std::string_view text, std::string_view line)
{
    unsigned number = 0;
    if (!line.starts_with(text)) {
        return 0;
    }
    line.remove_prefix(text.size());
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    return error == std::errc{} && std::string_view(end, line.data() + line.size()) == "\n" ? number
                                                                                            : 0;
}

std::string unfinished_name(std::string_view name)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::random_device random;
    std::string unfinished = std::string(name) + ".";
    for (std::size_t i = 0; i < random_digits; ++i) {
        unfinished += digits[random() % digits.size()];
    }
    return unfinished;
}

bool is_unfinished(std::string_view name, std::string_view file)
{
    return file.starts_with(std::string(name) + ".");
}

std::string aside_name(std::string_view name)
{
    return unfinished_name(marker_name) + "-" + std::string(name);
}

std::optional<std::string> name_set_aside(std::string_view file)
{
    const std::size_t hyphen = marker_name.size() + 1 + random_digits;
    return is_unfinished(marker_name, file) && file.size() > hyphen + 1 && file[hyphen] == '-'
               ? std::optional(std::string(file.substr(hyphen + 1)))
               : std::nullopt;
}

}  // namespace keywatch::storage
