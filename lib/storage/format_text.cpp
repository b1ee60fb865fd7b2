// SPDX-License-Identifier: BSL-1.0
#include "format_text.hpp"

#include <charconv>
#include <random>

namespace keywatch::storage {

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
    for (int i = 0; i < 12; ++i) {
        unfinished += digits[random() % digits.size()];
    }
    return unfinished;
}

bool is_unfinished(std::string_view name, std::string_view file)
{
    return file.starts_with(std::string(name) + ".");
}

}  // namespace keywatch::storage
