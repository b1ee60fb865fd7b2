// SPDX-License-Identifier: BSL-1.0
#include "btree.hpp"

#include <keywatch/error.hpp>

namespace keywatch::structures::btree {

namespace {

constexpr char plain = 0;

}  // namespace

std::string_view user_value(std::string_view stored)
{
    if (stored.empty() || stored.back() != plain) {
        throw boost::system::system_error(make_error_code(Error::damaged),
                                          "a value of a BTree bucket");
    }
    stored.remove_suffix(1);
    return stored;
}

std::optional<std::string> get(const Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    std::optional<std::string> stored = workspace.get(bucket, key);
    if (stored) {
        stored->resize(user_value(*stored).size());
    }
    return stored;
}

bool contains(const Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    return workspace.get(bucket, key).has_value();
}

void put(Workspace& workspace, BucketIndex bucket, std::string_view key, std::string_view value)
{
    if (key.empty()) {
        throw boost::system::system_error(make_error_code(Error::empty_key));
    }
    std::string stored;
    stored.reserve(value.size() + 1);
    stored += value;
    stored += plain;
    workspace.put(bucket, key, stored);
    Message message;
    message.operation = Operation::put;
    message.key = key;
    message.value = value;
    workspace.record(bucket, message);
}

bool erase(Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    const std::optional<std::string> previous = get(workspace, bucket, key);
    if (!previous) {
        return false;
    }
    workspace.erase(bucket, key);
    Message message;
    message.operation = Operation::erase;
    message.key = key;
    message.previous = *previous;
    workspace.record(bucket, message);
    return true;
}

}  // namespace keywatch::structures::btree
