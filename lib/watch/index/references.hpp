// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "watch/subscription.hpp"

#include <cstddef>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace keywatch::watch {

/// A transparent hash, so that strings are found by views.
struct BytesHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view bytes) const noexcept
    {
        return std::hash<std::string_view>{}(bytes);
    }
};

/// One interest of a subscription, as stored in the index.
struct Reference {
    SharedSubscription subscriber;
    std::size_t at = 0;

    Interest& interest() const noexcept { return subscriber->interests()[at]; }
};

/// Interests with equal selectors, unordered. Each interest stores its place here, so that it is
/// removed in constant time.
class References {
public:
    bool empty() const noexcept { return list_.empty(); }
    std::size_t size() const noexcept { return list_.size(); }
    auto begin() const noexcept { return list_.begin(); }
    auto end() const noexcept { return list_.end(); }

    const Reference& operator[](std::size_t place) const noexcept { return list_[place]; }
    template <class Function>
    void for_each(Function& function) const
    {
        for (const Reference& each : list_) {
            function(each);
        }
    }

    void add(Reference reference)
    {
        reference.interest().place = list_.size();
        list_.push_back(std::move(reference));
    }
    /// Removes an interest and returns its reference, so that the caller decides when it is
    /// destroyed.
    Reference remove(const Interest& interest)
    {
        const std::size_t place = interest.place;
        std::swap(list_[place], list_.back());
        list_[place].interest().place = place;
        Reference removed = std::move(list_.back());
        list_.pop_back();
        return removed;
    }

private:
    std::vector<Reference> list_;
};

}  // namespace keywatch::watch
