// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "selected_ranges.hpp"

#include "structures/workspace.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch::structures {

/// A function that creates iterators over a bucket's key space, which does not change.
using KeySpace = std::function<std::shared_ptr<KeyIterator>()>;

/// A scan of the entries of a bucket that belong to the selected keys of the user. On the way, it
/// can release what it holds: see `release`.
class KeyScan {
public:
    /// `kind` is the part of an entry's key before the user's key. Nothing is read before it is
    /// requested.
    KeyScan(KeySpace space, std::string_view kind, std::vector<KeyInterval> selected);

    /// Returns true if there is a current entry: at first the first one, if there is one.
    bool valid();
    void next();
    // Precondition of the following: valid() has returned true. The views are valid until next() or
    // release().
    std::string_view key() const { return iterator_->key().substr(kind_.size()); }
    std::string_view value() const { return iterator_->value(); }

    /// Releases everything that is stored, until the scan is used again.
    void release();

private:
    void settle();
    void seek(std::string_view key);

    const KeySpace space_;
    const std::string kind_;
    const std::vector<KeyInterval> intervals_;
    std::size_t interval_ = 0;  ///< the interval of the current or next key
    std::string from_;          ///< the user's key to continue from after a release
    std::shared_ptr<KeyIterator> iterator_;
};

}  // namespace keywatch::structures
