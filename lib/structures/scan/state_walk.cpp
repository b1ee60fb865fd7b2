// SPDX-License-Identifier: BSL-1.0
#include "state_walk.hpp"

#include "structures/collection.hpp"
#include "structures/sorted_set/sorted_elements.hpp"
#include "structures/sorted_set/sorted_members.hpp"
#include "structures/stamp.hpp"
#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <optional>
#include <string>
#include <utility>

namespace keywatch::structures {

namespace {

bool has_expired(const std::optional<Time>& deadline, Time now)
{
    return deadline && *deadline <= now;
}

class BTreeWalk final : public StateWalk {
public:
    BTreeWalk(KeySpace space, std::vector<KeyStretch> wanted, Time now)
        : rows_(std::move(space), {}, std::move(wanted)), now_(now)
    {
        message_.structure = Structure::btree;
        message_.operation = Operation::put;
    }

    bool valid() override
    {
        for (; rows_.valid(); rows_.next()) {
            const Stamped stamped = read_stamp(rows_.value());
            if (!has_expired(stamped.deadline, now_)) {
                message_.key = rows_.key();
                message_.value = stamped.content;
                message_.deadline = stamped.deadline;
                return true;
            }
        }
        return false;
    }
    const Message& message() override { return message_; }
    void next() override { rows_.next(); }
    void rest() override { rows_.rest(); }

private:
    KeyRows rows_;
    const Time now_;
    Message message_;
};

/// The location of a collection's elements, as its structure defines it.
struct Elements {
    std::string prefix;  ///< the common prefix of their keys
    std::string first;   ///< no key of theirs is less
};

Elements elements_of(Structure structure, const collection::Header& header)
{
    std::string prefix = collection::element_prefix(header.id);
    if (structure == Structure::sorted_set) {
        prefix += sorted_set::by_place;
        return {prefix, prefix + sorted_set::layout_of(header).bounds.low()};
    }
    // In a list's header it is the number of its first element, in a set's a lower bound of its
    // members.
    return {prefix, prefix + header.content};
}

/// Fills in a message from the rest of an element's key, after the prefix, and the element's value.
void describe(Message& message, std::string_view rest, std::string_view value)
{
    switch (message.structure) {
    case Structure::list:
        message.operation = Operation::push_back;
        message.value = value;
        break;
    case Structure::sorted_set:
        message.operation = Operation::add;
        message.value = sorted_set::member_at(rest);
        message.score = sorted_set::score_at(rest);
        break;
    default:
        message.operation = Operation::add;
        message.value = rest;
        break;
    }
}

/// A walk over collections. It counts elements as the header says, so that a missing one is
/// noticed.
class CollectionWalk final : public StateWalk {
public:
    CollectionWalk(Structure structure, KeySpace space, std::vector<KeyStretch> wanted, Time now)
        : space_(std::move(space)),
          rows_(space_, {&collection::header_kind, 1}, std::move(wanted)),
          now_(now)
    {
        message_.structure = structure;
    }

    bool valid() override
    {
        while (!open_ && rows_.valid()) {
            open();
        }
        if (open_) {
            describe_current();
        }
        return open_.has_value();
    }
    const Message& message() override { return message_; }
    void next() override
    {
        if (open_->left > 0) {
            --open_->left;
            elements_->next();
        } else {
            open_->deadline.reset();
        }
        if (open_->left == 0 && !open_->deadline) {
            close();
        }
    }
    void rest() override
    {
        if (open_ && open_->left > 0 && stands_ && elements_->valid()) {
            open_->elements.first = elements_->key();
        }
        elements_.reset();
        stands_ = false;
        rows_.rest();
    }

private:
    struct Open {
        std::string key;
        Elements elements;  ///< `first`: where to continue
        std::uint64_t left;
        std::optional<Time> deadline;
    };

    void open()
    {
        const collection::Header header = collection::read_header(rows_.value());
        if (has_expired(header.deadline, now_)) {
            rows_.next();
            return;
        }
        open_ = Open{std::string(rows_.key()), elements_of(message_.structure, header), header.size,
                     header.deadline};
    }

    void close()
    {
        open_.reset();
        stands_ = false;
        rows_.next();
    }

    void describe_current()
    {
        message_.key = open_->key;
        message_.score.reset();
        if (open_->left == 0) {
            message_.operation = Operation::ttl;
            message_.value = {};
            message_.deadline = open_->deadline;
            return;
        }
        stand();
        message_.deadline.reset();
        describe(message_, elements_->key().substr(open_->elements.prefix.size()),
                 elements_->value());
    }

    /// Moves to the next element, unless the iterator is there.
    void stand()
    {
        if (!elements_) {
            elements_ = space_();
        }
        if (!std::exchange(stands_, true)) {
            elements_->seek(open_->elements.first);
        }
        if (!elements_->valid() || !elements_->key().starts_with(open_->elements.prefix)) {
            fail(Error::damaged, "an element of a collection is missing");
        }
    }

    const KeySpace space_;
    KeyRows rows_;
    const Time now_;
    std::optional<Open> open_;
    std::shared_ptr<KeyIterator> elements_;
    bool stands_ = false;  ///< true if the iterator is in the open collection
    Message message_;
};

}  // namespace

std::unique_ptr<StateWalk> walk_state(Structure structure, KeySpace space,
                                      std::vector<KeyStretch> wanted, Time now)
{
    if (structure == Structure::btree) {
        return std::make_unique<BTreeWalk>(std::move(space), std::move(wanted), now);
    }
    return std::make_unique<CollectionWalk>(structure, std::move(space), std::move(wanted), now);
}

}  // namespace keywatch::structures
