// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace [[gnu::visibility("default")]] keywatch {

/// Which keys of a bucket a watcher follows. Made by `key()` and `all()`.
///
/// A watcher is also given the `bucket_deleted` messages of its bucket; one of the whole bucket the
/// `bucket_created` ones too.
class Selector {
public:
    /// What a selector looks at.
    enum class Kind : std::uint8_t { key, all };

    /// What it looks at.
    Kind kind() const noexcept { return kind_; }

    /// The key of a `Kind::key` selector.
    const std::string& key() const noexcept { return key_; }

private:
    friend Selector key(std::string key);
    friend Selector all();

    Selector(Kind kind, std::string key) : kind_(kind), key_(std::move(key)) {}

    Kind kind_;
    std::string key_;
};

/// One key, in every structure of the bucket. `watch()` refuses an empty one (`Error::empty_key`).
inline Selector key(std::string key)
{
    return {Selector::Kind::key, std::move(key)};
}

/// Every key of the bucket.
inline Selector all()
{
    return {Selector::Kind::all, {}};
}

}  // namespace keywatch
