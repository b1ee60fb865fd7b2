// SPDX-License-Identifier: BSL-1.0
#include "subscription.hpp"

#include <numeric>

namespace keywatch::watch {

bool Subscription::matches(const Message& message) const
{
    if (message.bucket != bucket_) {
        return false;
    }
    if (selector_.kind() == Selector::Kind::all || message.operation == Operation::bucket_deleted) {
        return true;
    }
    return message.operation != Operation::bucket_created && message.key == selector_.key();
}

Selection select(const Subscription& subscription, const CommitRecord& commit)
{
    // Mostly all of a commit matches, or nothing: the list is made only where it differs.
    Selection selection;
    bool all = true;
    for (const Message& message : commit.messages) {
        const bool matches = !selection.ends && subscription.matches(message);
        if (!matches && all && selection.any) {
            selection.selected.resize(message.index);
            std::iota(selection.selected.begin(), selection.selected.end(), 0);
        }
        all = all && matches;
        if (matches) {
            selection.any = true;
            selection.ends = message.ends_bucket;
            if (!all) {
                selection.selected.push_back(message.index);
            }
        }
    }
    return selection;
}

}  // namespace keywatch::watch
