// SPDX-License-Identifier: BSL-1.0
#include "backup_target.hpp"

#include <algorithm>

namespace keywatch::storage {

namespace {

bool is_number(std::string_view text)
{
    return !text.empty() && text.size() <= 20 &&
           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// Returns true if `name` is <number><ending>.
bool is_numbered(std::string_view name, std::string_view ending)
{
    return name.ends_with(ending) && is_number(name.substr(0, name.size() - ending.size()));
}

}  // namespace

bool is_table_file(std::string_view name)
{
    return is_numbered(name, ".ldb") || is_numbered(name, ".sst");
}

bool is_data_file(std::string_view name)
{
    constexpr std::string_view manifest = "MANIFEST-";
    return name == current_file || is_table_file(name) || is_numbered(name, ".log") ||
           (name.starts_with(manifest) && is_number(name.substr(manifest.size())));
}

}  // namespace keywatch::storage
