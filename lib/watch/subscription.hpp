// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "inbox.hpp"

#include <keywatch/message.hpp>
#include <keywatch/selector.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace keywatch::watch {

/// What a watcher wants, and where it gets it.
///
/// Members by who uses them: the bucket and selector are constant; the inbox is thread-safe by
/// itself; the rest belongs to the distributor, on the pipeline's strand.
class Subscription {
public:
    Subscription(std::string bucket, Selector selector, Budget budget)
        : inbox(budget), bucket_(std::move(bucket)), selector_(std::move(selector))
    {
    }

    const std::string& bucket() const noexcept { return bucket_; }
    const Selector& selector() const noexcept { return selector_; }

    bool matches(const Message& message) const;

    Inbox inbox;

private:
    friend class SelectorIndex;
    friend class Distributor;

    const std::string bucket_;
    const Selector selector_;

    std::size_t place_ = 0;  ///< among those of the same bucket and key
    bool indexed_ = false;
    /// Of the commit that is being routed.
    std::vector<std::uint32_t> selected_;
};

using SharedSubscription = std::shared_ptr<Subscription>;

/// What of a commit, met in history, is for a subscriber.
struct Selection {
    /// The places of the messages; empty with `any`: all of them.
    std::vector<std::uint32_t> selected;
    bool any = false;
    /// The bucket was deleted here: nothing after this commit is for the subscriber.
    bool ends = false;

    /// How many messages these are.
    std::size_t messages(const CommitRecord& commit) const noexcept
    {
        return selected.empty() ? commit.messages.size() : selected.size();
    }
};

/// The same as the distributor would route to it.
Selection select(const Subscription& subscription, const CommitRecord& commit);

}  // namespace keywatch::watch
