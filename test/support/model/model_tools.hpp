// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <stdexcept>
#include <string>

/// Tools for the steps of the model.
namespace keywatch::test::model {

inline void require(bool same, const char* what)
{
    if (!same) {
        throw std::logic_error("differs from the model: " + std::string(what));
    }
}

template <class Keys>
typename Keys::mapped_type* find(Keys& keys, const std::string& key)
{
    const auto at = keys.find(key);
    return at != keys.end() ? &at->second : nullptr;
}

template <class Keys>
void remove_if_empty(Keys& keys, const std::string& key)
{
    if (const auto at = keys.find(key); at != keys.end() && at->second.value.empty()) {
        keys.erase(at);
    }
}

}  // namespace keywatch::test::model
