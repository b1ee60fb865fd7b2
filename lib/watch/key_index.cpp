// SPDX-License-Identifier: BSL-1.0
#include "key_index.hpp"

namespace keywatch::watch {

void KeyIndex::add(const Reference& reference)
{
    const Selector& selector = reference.interest().selector.selector();
    switch (selector.kind()) {
    case Selector::Kind::all:
        all_.add(reference);
        break;
    case Selector::Kind::key:
        keys_[selector.key()].add(reference);
        break;
    default:
        others_.add(reference);
    }
}

Reference KeyIndex::remove(const Interest& interest)
{
    const Selector& selector = interest.selector.selector();
    switch (selector.kind()) {
    case Selector::Kind::all:
        return all_.remove(interest);
    case Selector::Kind::key: {
        const auto at = keys_.find(selector.key());
        Reference removed = at->second.remove(interest);
        if (at->second.empty()) {
            keys_.erase(at);
        }
        return removed;
    }
    default:
        return others_.remove(interest);
    }
}

}  // namespace keywatch::watch
