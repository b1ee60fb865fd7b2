// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace [[gnu::visibility("default")]] keywatch {

/// The keys of a bucket that a watcher follows. Created by `key()`, `prefix()`, `range()`, `glob()`
/// and `all()`. Keys are compared byte by byte.
///
/// A watcher also receives the `bucket_deleted` messages of its bucket. A watcher of the whole
/// bucket also receives the `bucket_created` messages.
class Selector {
public:
    /// The kinds of selectors.
    enum class Kind : std::uint8_t { key, all, prefix, range, glob };

    /// Returns the kind of the selector.
    Kind kind() const noexcept { return kind_; }

    /// Returns the key, the prefix, the pattern, or the first key of the range. Empty for
    /// `Kind::all`.
    const std::string& key() const noexcept { return key_; }
    /// Returns the first key after the range. Empty if the range has no end, and for other kinds.
    const std::string& end() const noexcept { return end_; }

    /// Returns true if both select the same keys in the same way.
    friend bool operator==(const Selector&, const Selector&) = default;

private:
    friend Selector key(std::string key);
    friend Selector all();
    friend Selector prefix(std::string prefix);
    friend Selector range(std::string first, std::string last);
    friend Selector glob(std::string pattern);

    Selector(Kind kind, std::string key, std::string end = {})
        : kind_(kind), key_(std::move(key)), end_(std::move(end))
    {
    }

    Kind kind_;
    std::string key_;
    std::string end_;
};

/// Selects one key, in every structure of the bucket. `watch()` refuses an empty key
/// (`Error::empty_key`).
inline Selector key(std::string key)
{
    return {Selector::Kind::key, std::move(key)};
}

/// Selects every key of the bucket.
inline Selector all()
{
    return {Selector::Kind::all, {}};
}

/// Selects the keys that begin with `prefix`. An empty prefix selects every key.
inline Selector prefix(std::string prefix)
{
    return {Selector::Kind::prefix, std::move(prefix)};
}

/// Selects the keys from `first` on that are before `last`. If `last` is empty, the range has no
/// end. `watch()` refuses a range that cannot contain a key (`Error::invalid_option`).
inline Selector range(std::string first, std::string last)
{
    return {Selector::Kind::range, std::move(first), std::move(last)};
}

/// Selects the keys that match the pattern as a whole. For the syntax see `Snapshot::buckets`.
/// `watch()` refuses a malformed pattern (`Error::invalid_pattern`).
inline Selector glob(std::string pattern)
{
    return {Selector::Kind::glob, std::move(pattern)};
}

/// Keys of one bucket, or everything in the database. Created by `in()` and `whole_database()`.
class BucketSelector {
public:
    /// Returns true if everything in the database is selected. Then `bucket()` and `selector()`
    /// have no meaning.
    bool is_whole_database() const noexcept { return whole_database_; }
    /// Returns the name of the bucket.
    const std::string& bucket() const noexcept { return bucket_; }
    /// Returns the selector of its keys.
    const Selector& selector() const noexcept { return selector_; }

    /// Returns true if both select the same keys in the same way.
    friend bool operator==(const BucketSelector&, const BucketSelector&) = default;

private:
    friend BucketSelector in(std::string bucket, Selector selector);
    friend BucketSelector whole_database();

    BucketSelector(std::string bucket, Selector selector, bool whole_database)
        : bucket_(std::move(bucket)),
          selector_(std::move(selector)),
          whole_database_(whole_database)
    {
    }

    std::string bucket_;
    Selector selector_;
    bool whole_database_;
};

/// Selects keys of a bucket, which need not exist yet. `watch()` refuses a name that is empty or
/// longer than 65535 bytes (`Error::invalid_name`).
inline BucketSelector in(std::string bucket, Selector selector)
{
    return {std::move(bucket), std::move(selector), false};
}

/// Selects all keys of all buckets, whenever these are created. Such a watch does not end with a
/// bucket.
inline BucketSelector whole_database()
{
    return {{}, all(), true};
}

/// The selectors of one watcher, in any number of buckets. A message that several of them match is
/// delivered once. `watch()` refuses an empty list (`Error::invalid_option`).
class Selectors {
public:
    /// Constructs an empty list.
    Selectors() = default;
    /// Constructs a list of one selector.
    Selectors(BucketSelector selector) { list_.push_back(std::move(selector)); }  // NOLINT
    /// Constructs a list of several selectors.
    Selectors(std::initializer_list<BucketSelector> selectors) : list_(selectors) {}
    /// Constructs a list of selectors that are determined at run time.
    explicit Selectors(std::vector<BucketSelector> selectors) : list_(std::move(selectors)) {}

    /// Returns the selectors in the order of construction.
    const std::vector<BucketSelector>& list() const noexcept { return list_; }

    /// Returns true if both select the same keys in the same way.
    friend bool operator==(const Selectors&, const Selectors&) = default;

private:
    std::vector<BucketSelector> list_;
};

}  // namespace keywatch
