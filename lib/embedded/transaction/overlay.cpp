// SPDX-License-Identifier: BSL-1.0
#include "overlay.hpp"

namespace keywatch::embedded {

void Overlay::add(Revision revision, std::shared_ptr<const WriteSet> writes)
{
    Map added;
    for (const auto& [key, value] : writes->map()) {
        added.emplace_hint(added.end(), key, Entry{value, revision});
    }
    kept_.emplace_back(revision, std::move(writes));
    // Nothing is allocated from here on.
    while (!added.empty()) {
        auto entry = added.extract(added.begin());
        // The key is replaced too: the existing one may belong to an older write set.
        map_.erase(entry.key());
        map_.insert(std::move(entry));
    }
}

void Overlay::prune(Revision durable)
{
    while (!kept_.empty() && kept_.front().first <= durable) {
        const auto& [revision, writes] = kept_.front();
        for (const auto& [key, value] : writes->map()) {
            const auto at = map_.find(std::string_view(key));
            if (at != map_.end() && at->second.revision == revision) {
                map_.erase(at);
            }
        }
        kept_.pop_front();
    }
}

}  // namespace keywatch::embedded
