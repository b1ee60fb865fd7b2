// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "strand_executor.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>
#include <boost/asio/strand.hpp>

#include <memory>
#include <utility>

namespace keywatch::async {

namespace asio = boost::asio;

/// A strand that an any_io_executor holds without an allocation.
///
/// A strand of a type-erased executor is too large for that, and Asio asks for half a dozen copies
/// with other properties in each post and each spawn. This class keeps the strand ready in the
/// properties that matter, so that a copy only counts a reference. Only a copy that counts as
/// outstanding work needs an allocation. Lack of memory does not stall the strand (StrandExecutor).
class SmallStrand {
public:
    /// Creates a strand on `inner`. It is a named constructor, because a converting constructor
    /// would send Asio's concept checks in circles. If memory runs out half-way, Asio ends the
    /// program.
    static SmallStrand on(const asio::any_io_executor& inner);

    asio::execution_context& query(asio::execution::context_t) const noexcept
    {
        return asio::query(strands_->inner(), asio::execution::context);
    }
    asio::execution::blocking_t query(asio::execution::blocking_t) const noexcept
    {
        return never_ ? asio::execution::blocking_t(asio::execution::blocking.never)
                      : asio::execution::blocking_t(asio::execution::blocking.possibly);
    }
    SmallStrand require(asio::execution::blocking_t::never_t) const { return {strands_, true}; }
    SmallStrand require(asio::execution::blocking_t::possibly_t) const { return {strands_, false}; }

    /// Returns an unchanged copy if there is no memory: Asio's timers are lost if this throws.
    SmallStrand prefer(asio::execution::outstanding_work_t::tracked_t tracked) const noexcept
    {
        try {
            auto inner = asio::prefer(strands_->inner(), tracked);
            const auto work = std::make_shared<const Work>(Work{strands_, std::move(inner)});
            return {std::shared_ptr<const Strands>(work, strands_.get()), never_};
        } catch (...) {
            return *this;
        }
    }

    template <class Function>
    void execute(Function&& function) const
    {
        (never_ ? strands_->never : strands_->possibly).execute(std::forward<Function>(function));
    }

    friend bool operator==(const SmallStrand& a, const SmallStrand& b) noexcept
    {
        return a.strands_ == b.strands_;
    }
    friend bool operator!=(const SmallStrand& a, const SmallStrand& b) noexcept
    {
        return !(a == b);
    }

private:
    using Strand = asio::strand<StrandExecutor>;

    /// One strand, with two sets of properties.
    struct Strands {
        explicit Strands(Strand strand)
            : possibly(std::move(strand)),
              never(asio::require(possibly, asio::execution::blocking.never))
        {
        }
        asio::any_io_executor inner() const { return never.get_inner_executor().inner(); }

        Strand possibly;
        Strand never;
    };

    /// Owned in place of `Strands` by a copy that counts as outstanding work.
    struct Work {
        std::shared_ptr<const Strands> strands;
        asio::any_io_executor inner;
    };

    SmallStrand(std::shared_ptr<const Strands> strands, bool never)
        : strands_(std::move(strands)), never_(never)
    {
    }

    std::shared_ptr<const Strands> strands_;
    bool never_;
};

// The size of the storage inside an any_io_executor.
static_assert(sizeof(SmallStrand) <= sizeof(std::shared_ptr<void>) + sizeof(void*));

}  // namespace keywatch::async
