// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "delivery_world.hpp"
#include "model_strand.hpp"
#include "model_worker.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace keywatch::test {

/// Everything around the machine of one watch: the strand, which routes commits in slices, the
/// worker, its consumer, and what interrupts or ends it, in steps between which others may come.
/// Machine, inbox, outbox, distributor, index and coalescer are the real ones.
///
/// Every step checks what must always hold, and throws std::logic_error if it does not.
class DeliveryModel {
public:
    enum class Actor : std::uint8_t {
        strand_routes,
        strand_loses_commit,
        strand_changes,
        strand_notes,
        victims,
        worker,
        worker_other,
        worker_half,
        worker_stops_half,
        worker_breaks_off,
        worker_aborts,
        interrupter,
        second_interrupter,
        closer,
        drainer,
        others,
        consumer,
        clock,
        trimmer,
    };

    DeliveryModel(const DeliveryScenario& scenario, const DeliveryHistory& history, Fault fault);

    /// Every actor that can do something now.
    std::vector<Actor> enabled() const;
    void step(Actor actor);
    /// Checks what must hold when no actor can do anything any more.
    void check_end();
    /// Tells states apart that can continue differently, or end as something else.
    std::string key() const;

    ModelWorker::Ending ending() const noexcept { return worker_.ending(); }
    bool gave_up() const noexcept { return worker_.check().gave_up(); }

private:
    /// Tells the watch that it is to end, in steps.
    struct Ender {
        int steps = 0;       ///< that it has taken
        bool wakes = false;  ///< the worker must be started when it is done
    };

    void enable_enders(std::vector<Actor>& actors) const;
    bool can_take() const;
    void start_worker_if(bool wakes)
    {
        if (wakes) {
            worker_.wake();
        }
    }
    void interrupt(Ender& ender, Interrupt kind);
    void signal(Ender& ender, Interrupt kind);
    void end_at(Ender& ender, bool drains);
    int steps_of_interruption() const noexcept { return scenario_.pulled ? 3 : 2; }
    int steps_of_end() const noexcept { return scenario_.pulled ? 2 : 1; }
    void finish_enders(bool wakes, bool handed_back);
    void take();
    void show(Revision revision);

    void check_position() const;
    void check_asleep() const;
    void check_reason() const;

    const DeliveryScenario& scenario_;
    DeliveryWorld world_;
    ModelStrand strand_;
    ModelWorker worker_;

    Ender interrupter_;
    Ender second_;
    Ender closer_;
    Ender drainer_;
    Revision drain_at_ = 0;
    bool lost_commit_ = false;
    bool asks_ = false;  ///< the consumer, as it does not know of an end
    std::optional<watch::Entry> held_;
};

}  // namespace keywatch::test
