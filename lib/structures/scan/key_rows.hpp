// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "wanted_keys.hpp"

#include "structures/workspace.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch::structures {

/// A bucket's key space, of which nothing changes: makes iterators over it.
using KeySpace = std::function<std::shared_ptr<KeyIterator>()>;

/// Walks over what a bucket has of the users' keys that are wanted. It can rest on the way.
class KeyRows {
public:
    /// `kind`: what stands before a user's key. Nothing is read before it is asked for.
    KeyRows(KeySpace space, std::string_view kind, std::vector<KeyStretch> wanted);

    /// Whether it stands on a row: at first on the first one, if there is one.
    bool valid();
    void next();
    // Once valid() has said so; the views last until next() or rest().
    std::string_view key() const { return iterator_->key().substr(kind_.size()); }
    std::string_view value() const { return iterator_->value(); }

    /// Holds on to nothing that is stored, until it is used again.
    void rest();

private:
    void settle();
    void seek(std::string_view key);

    const KeySpace space_;
    const std::string kind_;
    const std::vector<KeyStretch> wanted_;
    std::size_t stretch_ = 0;  ///< that of the key, or of what comes next
    std::string from_;         ///< the user's key where it goes on after a rest
    std::shared_ptr<KeyIterator> iterator_;
};

}  // namespace keywatch::structures
