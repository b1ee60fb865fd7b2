// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/filter.hpp>
#include <keywatch/message.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace keywatch::watch {

/// The part of a user's Filter that is applied before anything is queued: everything except the
/// predicate.
class MessageFilter {
public:
    explicit MessageFilter(const Filter& filter);

    bool passes(const Message& message) const noexcept
    {
        if (message.ends_bucket) {
            return true;
        }
        const bool kind =
            ((structures_ >> bit(message.structure)) & (operations_ >> bit(message.operation)) &
             (causes_ >> bit(message.cause)) & 1) != 0;
        return kind && (!origins_ || origins_->passes(message));
    }

private:
    struct Origins {
        std::optional<std::string> only;
        std::optional<std::string> except;

        bool passes(const Message& message) const noexcept
        {
            return (!only || message.origin == *only) &&
                   (!except || message.origin != *except || message.cause == Cause::expired);
        }
    };

    template <class Enumerator>
    static unsigned bit(Enumerator enumerator) noexcept
    {
        return static_cast<unsigned>(enumerator);
    }
    template <class Enumerators>
    static std::uint32_t mask(const Enumerators& enumerators) noexcept
    {
        std::uint32_t mask = enumerators.empty() ? UINT32_MAX : 0;
        for (const auto each : enumerators) {
            mask |= std::uint32_t{1} << bit(each);
        }
        return mask;
    }

    std::uint32_t structures_;
    std::uint32_t operations_;
    std::uint32_t causes_;
    /// Null if origins do not matter: an idle watch must be small.
    std::unique_ptr<const Origins> origins_;
};

}  // namespace keywatch::watch
