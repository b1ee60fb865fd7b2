// SPDX-License-Identifier: BSL-1.0
#include "sweep.hpp"

#include "structures/expiry.hpp"

#include <keywatch/error.hpp>

namespace keywatch::embedded {

namespace {

/// Removes the key that has this deadline. If no key has it any longer (its bucket was deleted,
/// say), only the entry of the deadline index is removed.
void remove_due(TransactionWorkspace& workspace, const std::string& key)
{
    const storage::Deadline deadline = *storage::parse_deadline_key(key);
    const auto bucket = workspace.expiring(deadline.bucket);
    try {
        if (!bucket || !structures::expire(workspace, bucket->first, bucket->second, deadline.key,
                                           deadline.time)) {
            workspace.forget_deadline(key);
        }
    } catch (const boost::system::system_error& error) {
        // A key that cannot be read must not prevent the removal of the other ones.
        if (error.code() != Error::damaged) {
            throw;
        }
    }
}

}  // namespace

void Sweep::run(TransactionWorkspace& workspace)
{
    const TransactionWorkspace::Due due = workspace.due(from_, most_keys);
    for (const std::string& key : due.keys) {
        if (workspace.bytes() >= most_bytes) {
            next_ = key;
            more_ = true;
            return;
        }
        remove_due(workspace, key);
    }
    next_ = due.next;
    more_ = !next_.empty() && storage::parse_deadline_key(next_)->time <= workspace.now();
}

}  // namespace keywatch::embedded
