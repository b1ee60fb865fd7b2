// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/memory/failing_memory.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>
#include <boost/asio/strand.hpp>

#include <utility>

namespace keywatch::test::oom {

namespace asio = boost::asio;

/// An executor whose posts never fail, for a strand of the program. A strand of Asio posts itself
/// again in a destructor. If that fails, the program ends.
class SparedExecutor {
public:
    /// Named, since a converting constructor would make the concept checks of Asio recursive.
    static SparedExecutor on(const asio::any_io_executor& inner)
    {
        return {asio::require(inner, asio::execution::blocking.never), 0};
    }

    asio::execution_context& query(asio::execution::context_t) const noexcept
    {
        return asio::query(inner_, asio::execution::context);
    }
    static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept
    {
        return asio::execution::blocking.never;
    }
    SparedExecutor require(asio::execution::blocking_t::never_t) const { return *this; }

    template <class Function>
    void execute(Function&& function) const
    {
        const Spared spared;
        inner_.execute(std::forward<Function>(function));
    }

    friend bool operator==(const SparedExecutor& a, const SparedExecutor& b) noexcept
    {
        return a.inner_ == b.inner_;
    }
    friend bool operator!=(const SparedExecutor& a, const SparedExecutor& b) noexcept
    {
        return !(a == b);
    }

private:
    SparedExecutor(asio::any_io_executor inner, int) : inner_(std::move(inner)) {}

    asio::any_io_executor inner_;
};

/// Returns a strand that does not end the program.
inline asio::any_io_executor strand_on(const asio::any_io_executor& inner)
{
    return asio::make_strand(SparedExecutor::on(inner));
}

}  // namespace keywatch::test::oom
