// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "context_life.hpp"
#include "undelivered.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace keywatch::async {

namespace asio = boost::asio;

/// The executor below a strand. A strand of Asio marks itself as scheduled before it posts, so it
/// stalls for good if there is no memory for the post. It also posts in a destructor. A strand
/// posts one function at a time; this executor keeps storage ready for it. If there is no memory
/// for the post, then the function is posted later.
class StrandExecutor {
public:
    /// Creates an executor above `inner`. It is a named constructor, because a converting
    /// constructor would send Asio's concept checks in circles.
    static StrandExecutor on(const asio::any_io_executor& inner);

    asio::execution_context& query(asio::execution::context_t) const noexcept
    {
        return asio::query(inner(), asio::execution::context);
    }
    asio::execution::blocking_t query(asio::execution::blocking_t) const noexcept
    {
        return never_ ? asio::execution::blocking_t(asio::execution::blocking.never)
                      : asio::execution::blocking_t(asio::execution::blocking.possibly);
    }
    StrandExecutor require(asio::execution::blocking_t::never_t) const noexcept
    {
        return {room_, true};
    }
    StrandExecutor require(asio::execution::blocking_t::possibly_t) const noexcept
    {
        return {room_, false};
    }

    /// Precondition: the function passed before has begun to run.
    template <class Function>
    void execute(Function&& function) const noexcept
    {
        room_->take(std::forward<Function>(function));
        send(room_);
    }

    const asio::any_io_executor& inner() const noexcept { return room_->inner; }

    friend bool operator==(const StrandExecutor& a, const StrandExecutor& b) noexcept
    {
        return a.room_ == b.room_ && a.never_ == b.never_;
    }
    friend bool operator!=(const StrandExecutor& a, const StrandExecutor& b) noexcept
    {
        return !(a == b);
    }

private:
    struct Room final : Undelivered::Entry {
        explicit Room(const asio::any_io_executor& executor);
        Room(const Room&) = delete;
        Room& operator=(const Room&) = delete;
        ~Room() { lost(); }

        template <class Function>
        void take(Function&& function) noexcept
        {
            using Held = std::decay_t<Function>;
            static_assert(sizeof(Held) <= sizeof(memory) && alignof(Held) <= alignof(void*));
            // Moving the function only moves pointers.
            new (static_cast<void*>(memory)) Held(std::forward<Function>(function));
            use = [](void* held, bool runs) {
                Held* const given = std::launder(static_cast<Held*>(held));
                Held function_given(std::move(*given));
                given->~Held();
                if (runs) {
                    function_given();
                }
            };
        }

        void run()
        {
            if (const auto function = std::exchange(use, nullptr)) {
                function(memory, true);
            }
        }
        void lost() noexcept
        {
            if (const auto function = std::exchange(use, nullptr)) {
                function(memory, false);
            }
        }
        bool deliver() noexcept override;

        const asio::any_io_executor inner;
        const std::shared_ptr<ContextLife> life;
        alignas(void*) std::byte memory[6 * sizeof(void*)];
        /// Takes the function out of `memory`, and runs it if `runs` is true. Null if there is
        /// none.
        void (*use)(void* memory, bool runs) = nullptr;
        std::shared_ptr<Room> keep;  ///< keeps this alive while it is undelivered
    };

    StrandExecutor(std::shared_ptr<Room> room, bool never) noexcept
        : room_(std::move(room)), never_(never)
    {
    }

    static void send(const std::shared_ptr<Room>& room) noexcept;

    std::shared_ptr<Room> room_;
    bool never_ = false;
};

}  // namespace keywatch::async
