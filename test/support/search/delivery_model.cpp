// SPDX-License-Identifier: BSL-1.0
#include "delivery_model.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <utility>

namespace keywatch::test {

using Choice = ModelWorker::Choice;
using Ending = ModelWorker::Ending;

DeliveryModel::DeliveryModel(const DeliveryScenario& scenario, const DeliveryHistory& history,
                             Fault fault)
    : scenario_(scenario),
      world_(scenario, history, fault),
      strand_(world_),
      worker_(world_, scenario.seen != 0 && fault != Fault::joins_within),
      asks_(scenario.pulled)
{
}

std::vector<DeliveryModel::Actor> DeliveryModel::enabled() const
{
    std::vector<Actor> actors;
    const auto add_if = [&actors](bool can, Actor actor) {
        if (can) {
            actors.push_back(actor);
        }
    };
    add_if(strand_.can_route(), Actor::strand_routes);
    add_if(scenario_.gap && !lost_commit_ && strand_.can_lose_commit(), Actor::strand_loses_commit);
    add_if(strand_.can_change(), Actor::strand_changes);
    add_if(strand_.can_turn() && !world_.wakes.empty(), Actor::strand_notes);
    add_if(strand_.can_turn() && strand_.has_victim(), Actor::victims);
    add_if(worker_.can(Choice::usual), Actor::worker);
    add_if(worker_.can(Choice::other), Actor::worker_other);
    add_if(worker_.can(Choice::half), Actor::worker_half);
    add_if(worker_.can(Choice::stops_half), Actor::worker_stops_half);
    add_if(worker_.can(Choice::breaks_off), Actor::worker_breaks_off);
    add_if(worker_.can(Choice::aborts), Actor::worker_aborts);
    enable_enders(actors);
    add_if(scenario_.relieved && world_.starves, Actor::others);
    add_if(can_take(), Actor::consumer);
    add_if(world_.timer, Actor::clock);
    add_if(scenario_.trim && world_.oldest <= world_.shown, Actor::trimmer);
    return actors;
}

void DeliveryModel::enable_enders(std::vector<Actor>& actors) const
{
    if (scenario_.interrupt != Interrupt::none && interrupter_.steps < steps_of_interruption()) {
        actors.push_back(Actor::interrupter);
    }
    if (scenario_.second != Interrupt::none && second_.steps < steps_of_interruption()) {
        actors.push_back(Actor::second_interrupter);
    }
    if (scenario_.close && closer_.steps < steps_of_end() && strand_.can_turn()) {
        actors.push_back(Actor::closer);
    }
    if (scenario_.drain && drainer_.steps < steps_of_end()) {
        actors.push_back(Actor::drainer);
    }
}

bool DeliveryModel::can_take() const
{
    return worker_.offered() > 0 || (asks_ && !scenario_.rests && (held_ || worker_.has_ended()));
}

void DeliveryModel::step(Actor actor)
{
    switch (actor) {
    case Actor::strand_routes:
        start_worker_if(strand_.route());
        break;
    case Actor::strand_loses_commit:
        lost_commit_ = true;
        start_worker_if(strand_.lose_commit());
        break;
    case Actor::strand_changes:
        start_worker_if(strand_.change());
        break;
    case Actor::strand_notes:
        start_worker_if(strand_.note());
        break;
    case Actor::victims:
        start_worker_if(strand_.tell_victim());
        break;
    case Actor::worker:
        worker_.work(Choice::usual);
        break;
    case Actor::worker_other:
        worker_.work(Choice::other);
        break;
    case Actor::worker_half:
        worker_.work(Choice::half);
        break;
    case Actor::worker_stops_half:
        worker_.work(Choice::stops_half);
        break;
    case Actor::worker_breaks_off:
        worker_.work(Choice::breaks_off);
        break;
    case Actor::worker_aborts:
        worker_.work(Choice::aborts);
        break;
    case Actor::interrupter:
        interrupt(interrupter_, scenario_.interrupt);
        break;
    case Actor::second_interrupter:
        interrupt(second_, scenario_.second);
        break;
    case Actor::closer:
        end_at(closer_, false);
        break;
    case Actor::drainer:
        end_at(drainer_, true);
        break;
    case Actor::others:
        world_.starves = false;
        world_.bytes->release(DeliveryWorld::all_bytes);
        break;
    case Actor::consumer:
        take();
        break;
    case Actor::clock:
        world_.timer = false;
        start_worker_if(world_.poke());
        break;
    case Actor::trimmer:
        world_.oldest = world_.shown + 1;
        break;
    }
    show(worker_.machine().position());
    if (const auto through = world_.inbox().up_to_date(world_.routed)) {
        show(*through);
    }
    check_position();
}

void DeliveryModel::show(Revision revision)
{
    if (!scenario_.pulled || world_.outbox.pass(revision)) {
        world_.shown = std::max(world_.shown, revision);
    }
}

// Interruptions and ends.

void DeliveryModel::signal(Ender& ender, Interrupt kind)
{
    ender.wakes = world_.inbox().signal([kind](watch::Signals& signals) {
        switch (kind) {
        case Interrupt::none:
            break;
        case Interrupt::stop:
            signals.stop = true;
            break;
        case Interrupt::cancel:
            signals.cancel = true;
            break;
        case Interrupt::close_now:
            signals.close_now = true;
            break;
        case Interrupt::error:
            signals.error = std::make_exception_ptr(std::runtime_error("the pipeline failed"));
            break;
        }
    });
}

void DeliveryModel::interrupt(Ender& ender, Interrupt kind)
{
    // The steps are to signal, to set the flag, and to shut the outbox.
    const bool flag_first = world_.fault == Fault::flag_before_signal;
    const bool shut_first = world_.fault == Fault::shut_before_signal;
    const int step = ender.steps++;
    if (step == 0 && shut_first) {
        finish_enders(false, scenario_.pulled && world_.outbox.shut());
    } else if (step == (flag_first || shut_first ? 1 : 0)) {
        signal(ender, kind);
    } else if (step == (flag_first ? 0 : shut_first ? 2 : 1)) {
        world_.interrupted = true;
    }
    if (ender.steps == steps_of_interruption()) {
        const bool shut = !shut_first && scenario_.pulled && world_.outbox.shut();
        finish_enders(std::exchange(ender.wakes, false), shut);
        world_.aborts = world_.aborts || kind != Interrupt::stop;
    }
}

void DeliveryModel::end_at(Ender& ender, bool drains)
{
    if (ender.steps++ == 0) {
        const Revision head = world_.history.head();
        const Revision before_last = head > 0 ? head - 1 : 0;
        const Revision last = drains ? std::max(world_.routed, before_last) : head;
        drain_at_ = drains ? last : drain_at_;
        ender.wakes = world_.inbox().signal([&](watch::Signals& signals) {
            (drains ? signals.drain_at : signals.close_at) = last;
        });
    }
    if (ender.steps == steps_of_end()) {
        const bool hurries = scenario_.pulled && world_.fault != Fault::not_hurried;
        const bool handed_back = hurries && world_.outbox.hurry();
        finish_enders(std::exchange(ender.wakes, false), handed_back);
        world_.wakes.push_back(drains ? drain_at_ : world_.history.head());
    }
}

void DeliveryModel::finish_enders(bool wakes, bool handed_back)
{
    if (handed_back) {
        require(!wakes, "two would start the worker");
        worker_.hand_back();
    } else {
        start_worker_if(wakes);
    }
}

void DeliveryModel::take()
{
    if (held_) {
        world_.ledger.account_for(*std::exchange(held_, std::nullopt));
    }
    watch::Outbox::Answer answer = world_.outbox.take();
    worker_.taken();
    world_.shown = std::max(world_.shown, answer.delivered);
    asks_ = !worker_.has_ended() || answer.there;
    if (answer.there) {
        held_ = std::move(answer.entry);
    }
    if (answer.handed_back) {
        worker_.hand_back();
    }
}

// Checks.

void DeliveryModel::check_position() const
{
    const DeliveryLedger& ledger = world_.ledger;
    if (!ledger.has_begun()) {
        require(world_.shown == 0, "the position moves before the state is there");
        return;
    }
    require(world_.shown < ledger.missing().value_or(world_.shown + 1),
            "the position is ahead of an undelivered commit");
    const Revision fails_at = ledger.expected().fails_at;
    require(fails_at == 0 || world_.shown < fails_at,
            "the position is ahead of what the predicate throws at");
}

void DeliveryModel::check_end()
{
    if (held_) {
        world_.ledger.account_for(*std::exchange(held_, std::nullopt));
    }
    if (!worker_.has_ended()) {
        check_asleep();
        return;
    }
    check_reason();
    if (!scenario_.pulled && scenario_.overflow != Overflow::latest) {
        require(world_.shown >= world_.ledger.newest(), "what was delivered would come again");
    }
}

void DeliveryModel::check_asleep() const
{
    const DeliveryLedger& ledger = world_.ledger;
    const bool ends = scenario_.close || scenario_.drain || scenario_.interrupt != Interrupt::none;
    require(!ends, "the watch does not end");
    if (worker_.machine().is_parked()) {
        require(scenario_.rests, "the worker is parked for nothing");
        return;
    }
    require(worker_.is_asleep(), "the worker waits for nothing");
    require(ledger.is_complete(), "the worker sleeps, and something is undelivered");
    require(!ledger.expected().loses_all && ledger.expected().fails_at == 0,
            "the watch does not end");
    require(world_.shown >= world_.routed, "a sleeper does not show what was routed");
}

void DeliveryModel::check_reason() const
{
    const DeliveryLedger& ledger = world_.ledger;
    const DeliveryHistory::Expected& expected = ledger.expected();
    const auto told = [this](Interrupt kind) {
        return scenario_.interrupt == kind || scenario_.second == kind;
    };
    const auto reached = [&](Revision revision) {
        return ledger.has_begun() && ledger.missing().value_or(revision + 1) > revision &&
               (scenario_.rests || world_.shown >= revision);
    };
    switch (worker_.ending()) {
    case Ending::stopped:
        require(told(Interrupt::stop) || worker_.stopped_itself(), "stopped by nothing");
        break;
    case Ending::cancelled:
        require(told(Interrupt::cancel), "cancelled by nothing");
        break;
    case Ending::pipeline_failed:
        require(told(Interrupt::error), "failed for nothing");
        break;
    case Ending::bucket_deleted:
        require(ledger.is_complete() && expected.loses_all,
                "ended by a deletion that is not its own, or too early");
        require(world_.shown <= expected.revisions.back(), "the position is after the deletion");
        break;
    case Ending::drained:
        require(scenario_.drain && reached(drain_at_), "drained too early");
        break;
    case Ending::database_closed:
        require(told(Interrupt::close_now) ||
                    (scenario_.close && reached(world_.history.head()) && ledger.is_complete()),
                "closed too early");
        break;
    case Ending::overflow:
        require(scenario_.overflow == Overflow::stop, "ended by an inbox that was full");
        require(worker_.check().ever_caught_up(), "a watch that has yet to catch up is blamed");
        require(worker_.check().gave_up() || scenario_.relieved || !scenario_.starved,
                "ended for what others have used up");
        break;
    case Ending::predicate_failed:
        require(reached(expected.fails_at - 1), "the position is not before what failed");
        [[fallthrough]];
    case Ending::failed:
        require(expected.fails_at != 0 && ledger.is_complete(), "fails too early");
        break;
    case Ending::none:
    case Ending::compacted:
    case Ending::callback_timeout:
        require(false, "ended as it cannot");
    }
}

std::string DeliveryModel::key() const
{
    // Most numbers are small, and so is a byte each; what is larger follows a mark.
    std::array<char, 2048> bytes;
    std::size_t size = 0;
    const auto put = [&](std::uint64_t number) {
        constexpr std::uint64_t largest = 0xFD;
        if (number <= largest) {
            bytes[size++] = static_cast<char>(number);
        } else if (number == ~std::uint64_t{0}) {
            bytes[size++] = static_cast<char>(largest + 1);
        } else {
            bytes[size++] = static_cast<char>(largest + 2);
            std::memcpy(&bytes.at(size + sizeof(number)) - sizeof(number), &number, sizeof(number));
            size += sizeof(number);
        }
    };
    const auto out = [&put](auto... values) { (put(static_cast<std::uint64_t>(values)), ...); };
    world_.describe(out);
    strand_.describe(out);
    worker_.describe(out);
    for (const Ender& each : {interrupter_, second_, closer_, drainer_}) {
        out(each.steps, each.wakes);
    }
    out(drain_at_, lost_commit_, asks_, held_.has_value());
    if (held_) {
        held_->describe(out);
    }
    return {bytes.data(), size};
}

}  // namespace keywatch::test
