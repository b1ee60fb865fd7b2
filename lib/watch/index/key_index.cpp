// SPDX-License-Identifier: BSL-1.0
#include "key_index.hpp"

namespace keywatch::watch {

void KeyIndex::add(const Reference& reference)
{
    const Interest& interest = reference.interest();
    const Selector& selector = interest.selector.selector();
    switch (selector.kind()) {
    case Selector::Kind::all:
        all_.add(reference);
        break;
    case Selector::Kind::key:
        keys_[selector.key()].add(reference);
        break;
    case Selector::Kind::prefix:
        prefixes_.add(selector.key(), reference);
        break;
    case Selector::Kind::range:
        ranges_.add(selector.key(), selector.end(), reference);
        break;
    case Selector::Kind::glob:
        globs_.add(interest.glob->literal_prefix(), reference);
        break;
    }
}

std::vector<Reference> KeyIndex::list() const
{
    std::vector<Reference> list;
    for_each([&list](const Reference& each) { list.push_back(each); });
    return list;
}

Reference KeyIndex::remove(const Interest& interest)
{
    const Selector& selector = interest.selector.selector();
    switch (selector.kind()) {
    case Selector::Kind::all:
        break;
    case Selector::Kind::key: {
        const auto at = keys_.find(selector.key());
        Reference removed = at->second.remove(interest);
        if (at->second.empty()) {
            keys_.erase(at);
        }
        return removed;
    }
    case Selector::Kind::prefix:
        return prefixes_.remove(selector.key(), interest);
    case Selector::Kind::range:
        return ranges_.remove(selector.key(), selector.end(), interest);
    case Selector::Kind::glob:
        return globs_.remove(interest.glob->literal_prefix(), interest);
    }
    return all_.remove(interest);
}

}  // namespace keywatch::watch
