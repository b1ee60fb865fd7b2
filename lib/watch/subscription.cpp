// SPDX-License-Identifier: BSL-1.0
#include "subscription.hpp"

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
    Selection selection;
    for (const Message& message : commit.messages) {
        if (!subscription.matches(message)) {
            continue;
        }
        selection.any = true;
        selection.selected.push_back(message.index);
        if (message.ends_bucket) {
            selection.ends = true;
            break;
        }
    }
    if (selection.selected.size() == commit.messages.size()) {
        selection.selected.clear();
    }
    return selection;
}

}  // namespace keywatch::watch
