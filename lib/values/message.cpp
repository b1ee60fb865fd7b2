// SPDX-License-Identifier: BSL-1.0
#include <keywatch/message.hpp>

#include <algorithm>
#include <ostream>
#include <utility>

namespace [[gnu::visibility("default")]] keywatch {

std::string_view to_string(Structure structure) noexcept
{
    switch (structure) {
    case Structure::btree:
        return "btree";
    case Structure::list:
        return "list";
    case Structure::set:
        return "set";
    case Structure::sorted_set:
        return "sorted_set";
    }
    return "unknown";
}

std::string_view to_string(Operation operation) noexcept
{
    switch (operation) {
    case Operation::put:
        return "put";
    case Operation::erase:
        return "erase";
    case Operation::bucket_created:
        return "bucket_created";
    case Operation::bucket_deleted:
        return "bucket_deleted";
    case Operation::push_front:
        return "push_front";
    case Operation::push_back:
        return "push_back";
    case Operation::pop_front:
        return "pop_front";
    case Operation::pop_back:
        return "pop_back";
    case Operation::insert:
        return "insert";
    case Operation::set:
        return "set";
    case Operation::remove:
        return "remove";
    case Operation::trim:
        return "trim";
    case Operation::add:
        return "add";
    case Operation::rescore:
        return "rescore";
    case Operation::ttl:
        return "ttl";
    case Operation::gap:
        return "gap";
    case Operation::synced:
        return "synced";
    case Operation::progress:
        return "progress";
    }
    return "unknown";
}

std::string_view to_string(Cause cause) noexcept
{
    switch (cause) {
    case Cause::user:
        return "user";
    case Cause::expired:
        return "expired";
    case Cause::bucket_deleted:
        return "bucket_deleted";
    }
    return "unknown";
}

std::ostream& operator<<(std::ostream& out, Structure structure)
{
    return out << to_string(structure);
}

std::ostream& operator<<(std::ostream& out, Operation operation)
{
    return out << to_string(operation);
}

std::ostream& operator<<(std::ostream& out, Cause cause)
{
    return out << to_string(cause);
}

OwnedMessage::OwnedMessage(const Message& message) : message_(message)
{
    const auto views = [this](auto visit) {
        visit(message_.bucket);
        visit(message_.key);
        visit(message_.value);
        visit(message_.origin);
        if (message_.previous) {
            visit(*message_.previous);
        }
    };
    std::size_t size = 0;
    views([&](std::string_view& view) { size += view.size(); });
    bytes_ = std::make_unique<char[]>(size);
    char* to = bytes_.get();
    views([&](std::string_view& view) {
        char* const end = std::copy(view.begin(), view.end(), to);
        view = {to, view.size()};
        to = end;
    });
}

OwnedMessage::OwnedMessage(const OwnedMessage& other) : OwnedMessage(other.message_) {}

OwnedMessage::OwnedMessage(OwnedMessage&& other) noexcept
    : bytes_(std::move(other.bytes_)), message_(std::exchange(other.message_, Message{}))
{
}

OwnedMessage& OwnedMessage::operator=(OwnedMessage other) noexcept
{
    std::swap(bytes_, other.bytes_);
    std::swap(message_, other.message_);
    return *this;
}

Position Commit::position(const HistoryId& history) const noexcept
{
    if (record_->messages.front().snapshot) {
        return {history, 0};
    }
    return seen_ == 0 ? Position{history, revision()} : Position{history, previous(), seen_};
}

std::size_t CommitRecord::pinned_bytes() const noexcept
{
    return sizeof(CommitRecord) + bytes.capacity() + messages.capacity() * sizeof(Message);
}

}  // namespace keywatch
