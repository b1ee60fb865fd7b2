// SPDX-License-Identifier: BSL-1.0
#include "set.hpp"

#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <utility>

namespace keywatch::structures::set {

namespace {

using collection::Header;

std::string element_key(const Header& header, std::string_view member)
{
    std::string key = collection::element_prefix(header.id);
    key += member;
    return key;
}

bool has(const Workspace& workspace, BucketIndex bucket, const Header& header,
         std::string_view member)
{
    return workspace.get(bucket, element_key(header, member)).has_value();
}

void record(Workspace& workspace, BucketIndex bucket, Operation operation, std::string_view key,
            std::string_view member)
{
    Message message;
    message.operation = operation;
    message.key = key;
    message.value = member;
    workspace.record(bucket, message);
}

/// Adds a member. Returns false if the set has it already. The caller must save the header.
bool add_one(Workspace& workspace, BucketIndex bucket, std::string_view key, Header& header,
             std::string_view member)
{
    const std::string element = element_key(header, member);
    // A new set has no members yet.
    if (header.size > 0 && workspace.get(bucket, element)) {
        return false;
    }
    workspace.put(bucket, element, {});
    ++header.size;
    if (member < header.content) {
        header.content = member.substr(0, bound_bytes);
    }
    record(workspace, bucket, Operation::add, key, member);
    return true;
}

/// Removes an existing member. The caller must save the header.
void take(Workspace& workspace, BucketIndex bucket, std::string_view key, Header& header,
          std::string_view member)
{
    workspace.erase(bucket, element_key(header, member));
    --header.size;
    record(workspace, bucket, Operation::remove, key, member);
}

std::string smallest(const Workspace& workspace, BucketIndex bucket, const Header& header)
{
    const std::string prefix = collection::element_prefix(header.id);
    const std::shared_ptr<KeyIterator> iterator = workspace.iterate(bucket);
    iterator->seek(prefix + header.content);
    if (!iterator->valid() || !iterator->key().starts_with(prefix)) {
        fail(Error::damaged, "a set has fewer members than its header says");
    }
    return std::string(iterator->key().substr(prefix.size()));
}

bool same(const SetRef& a, const SetRef& b)
{
    return a.workspace == b.workspace && a.bucket == b.bucket && a.key == b.key;
}

}  // namespace

bool contains(const Workspace& workspace, BucketIndex bucket, std::string_view key,
              std::string_view member)
{
    const std::optional<Header> header = collection::find(workspace, bucket, key);
    return header && has(workspace, bucket, *header, member);
}

std::vector<bool> contains_many(const Workspace& workspace, BucketIndex bucket,
                                std::string_view key, std::span<const std::string_view> members)
{
    const std::optional<Header> header = collection::find(workspace, bucket, key);
    std::vector<bool> there;
    there.reserve(members.size());
    for (const std::string_view member : members) {
        there.push_back(header && has(workspace, bucket, *header, member));
    }
    return there;
}

std::uint64_t add(Workspace& workspace, BucketIndex bucket, std::string_view key,
                  std::span<const std::string_view> members)
{
    if (members.empty()) {
        return 0;
    }
    Header header = collection::find_or_create(workspace, bucket, key);
    std::uint64_t added = 0;
    for (const std::string_view member : members) {
        added += add_one(workspace, bucket, key, header, member) ? 1 : 0;
    }
    if (added > 0) {
        collection::save(workspace, bucket, key, header);
    }
    return added;
}

std::uint64_t remove(Workspace& workspace, BucketIndex bucket, std::string_view key,
                     std::span<const std::string_view> members)
{
    std::optional<Header> header = collection::find_to_write(workspace, bucket, key);
    std::uint64_t removed = 0;
    for (const std::string_view member : members) {
        if (header && has(workspace, bucket, *header, member)) {
            take(workspace, bucket, key, *header, member);
            ++removed;
        }
    }
    if (removed > 0) {
        collection::save(workspace, bucket, key, *header);
    }
    return removed;
}

std::optional<std::string> pop(Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    std::optional<Header> header = collection::find_to_write(workspace, bucket, key);
    if (!header) {
        return std::nullopt;
    }
    std::string member = smallest(workspace, bucket, *header);
    take(workspace, bucket, key, *header, member);
    header->content = member.substr(0, bound_bytes);
    collection::save(workspace, bucket, key, *header);
    return member;
}

bool move(const SetRef& from, const SetRef& to, std::string_view member)
{
    std::optional<Header> source =
        collection::find_to_write(*from.workspace, from.bucket, from.key);
    if (!source || !has(*from.workspace, from.bucket, *source, member)) {
        return false;
    }
    if (same(from, to)) {
        return true;
    }
    // Everything that may throw comes first, so that nothing has changed if it does.
    Header target = collection::find_or_create(*to.workspace, to.bucket, to.key);
    take(*from.workspace, from.bucket, from.key, *source, member);
    collection::save(*from.workspace, from.bucket, from.key, *source);
    if (add_one(*to.workspace, to.bucket, to.key, target, member)) {
        collection::save(*to.workspace, to.bucket, to.key, target);
    }
    return true;
}

}  // namespace keywatch::structures::set
