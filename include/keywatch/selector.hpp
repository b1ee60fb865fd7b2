// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace [[gnu::visibility("default")]] keywatch {

/// Which keys of a bucket a watcher follows. Made by `key()`, `prefix()`, `range()`, `glob()` and
/// `all()`. Keys are compared byte by byte.
///
/// A watcher is also given the `bucket_deleted` messages of its bucket; one of the whole bucket the
/// `bucket_created` ones too.
class Selector {
public:
    /// What a selector looks at.
    enum class Kind : std::uint8_t { key, all, prefix, range, glob };

    /// What it looks at.
    Kind kind() const noexcept { return kind_; }

    /// The key, the prefix, the pattern, or the first key of the range. Empty of `Kind::all`.
    const std::string& key() const noexcept { return key_; }
    /// What comes behind the range; empty: the range has no end. Empty of other kinds.
    const std::string& end() const noexcept { return end_; }

    /// Whether both select the same, in the same way.
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

/// The keys that begin with this; an empty one: every key.
inline Selector prefix(std::string prefix)
{
    return {Selector::Kind::prefix, std::move(prefix)};
}

/// The keys from `first` on that come before `last`; an empty `last`: all from `first` on.
/// `watch()` refuses a range that has no room for a key (`Error::invalid_option`).
inline Selector range(std::string first, std::string last)
{
    return {Selector::Kind::range, std::move(first), std::move(last)};
}

/// The keys that match the pattern as a whole; its syntax is that of `Snapshot::buckets`. `watch()`
/// refuses one that is not well-formed (`Error::invalid_pattern`).
inline Selector glob(std::string pattern)
{
    return {Selector::Kind::glob, std::move(pattern)};
}

/// Keys of one bucket, or everything in the database. Made by `in()` and `whole_database()`.
class BucketSelector {
public:
    /// Whether it is everything in the database: then the next two say nothing.
    bool is_whole_database() const noexcept { return whole_database_; }
    /// The name of the bucket.
    const std::string& bucket() const noexcept { return bucket_; }
    /// Which of its keys.
    const Selector& selector() const noexcept { return selector_; }

    /// Whether both select the same, in the same way.
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

/// These keys of this bucket, which need not exist yet. `watch()` refuses a name that is empty or
/// longer than 65535 bytes (`Error::invalid_name`).
inline BucketSelector in(std::string bucket, Selector selector)
{
    return {std::move(bucket), std::move(selector), false};
}

/// All keys of all buckets, whenever they are made. Such a watch does not end with a bucket.
inline BucketSelector whole_database()
{
    return {{}, all(), true};
}

/// What one watcher follows: a list of selectors, in any number of buckets. What several of them
/// match it is given once. `watch()` refuses an empty list (`Error::invalid_option`).
class Selectors {
public:
    /// None.
    Selectors() = default;
    /// One of them.
    Selectors(BucketSelector selector) { list_.push_back(std::move(selector)); }  // NOLINT
    /// Several.
    Selectors(std::initializer_list<BucketSelector> selectors) : list_(selectors) {}
    /// Several, as they were found at run time.
    explicit Selectors(std::vector<BucketSelector> selectors) : list_(std::move(selectors)) {}

    /// As they were given.
    const std::vector<BucketSelector>& list() const noexcept { return list_; }

    /// Whether both select the same, in the same way.
    friend bool operator==(const Selectors&, const Selectors&) = default;

private:
    std::vector<BucketSelector> list_;
};

}  // namespace keywatch
