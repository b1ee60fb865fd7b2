// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Commits for tests that process them, without an engine that makes them.
namespace keywatch::test {

/// A message to be created.
struct DraftMessage {
    Operation operation;
    std::string bucket;
    std::string key;
    std::string value;
    bool ends_bucket = false;
};

inline DraftMessage put_of(std::string key, std::string bucket = "b")
{
    return {Operation::put, std::move(bucket), std::move(key), "v", false};
}

inline DraftMessage creation_of(std::string bucket)
{
    return {Operation::bucket_created, std::move(bucket), "", "", false};
}

inline DraftMessage deletion_of(std::string bucket, bool ends_bucket = true)
{
    return {Operation::bucket_deleted, std::move(bucket), "", "", ends_bucket};
}

using SharedRecord = std::shared_ptr<const CommitRecord>;

/// `pinned`: bytes that the commit holds in addition to those of its messages.
inline SharedRecord make_commit(Revision revision, const std::vector<DraftMessage>& changes,
                                std::size_t pinned = 0)
{
    auto commit = std::make_shared<CommitRecord>();
    commit->revision = revision;
    commit->previous = revision - 1;
    for (const DraftMessage& each : changes) {
        commit->bytes += each.bucket + each.key + each.value;
    }
    std::string_view rest = commit->bytes;
    const auto take = [&rest](const std::string& bytes) {
        const std::string_view view = rest.substr(0, bytes.size());
        rest.remove_prefix(bytes.size());
        return view;
    };
    for (const DraftMessage& each : changes) {
        Message message;
        message.revision = revision;
        message.index = static_cast<std::uint32_t>(commit->messages.size());
        message.operation = each.operation;
        message.ends_bucket = each.ends_bucket;
        message.bucket = take(each.bucket);
        message.key = take(each.key);
        message.value = take(each.value);
        commit->messages.push_back(message);
    }
    if (pinned > 0) {
        commit->messages.reserve(commit->messages.size() + pinned / sizeof(Message) + 1);
    }
    return commit;
}

/// Returns a commit with one put of the key.
inline SharedRecord commit_of(Revision revision, std::string key = "k")
{
    return make_commit(revision, {put_of(std::move(key))});
}

inline std::vector<Revision> revisions_of(const std::vector<SharedRecord>& commits)
{
    std::vector<Revision> revisions;
    revisions.reserve(commits.size());
    for (const SharedRecord& each : commits) {
        revisions.push_back(each->revision);
    }
    return revisions;
}

}  // namespace keywatch::test
