// SPDX-License-Identifier: BSL-1.0
#include "state_scan.hpp"

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

class BTreeScan final : public StateScan {
public:
    BTreeScan(KeySpace space, std::vector<KeyInterval> selected, Time now)
        : keys_(std::move(space), {}, std::move(selected)), now_(now)
    {
        message_.structure = Structure::btree;
        message_.operation = Operation::put;
    }

    bool valid() override
    {
        for (; keys_.valid(); keys_.next()) {
            const Stamped stamped = read_stamp(keys_.value());
            if (!has_expired(stamped.deadline, now_)) {
                message_.key = keys_.key();
                message_.value = stamped.content;
                message_.deadline = stamped.deadline;
                return true;
            }
        }
        return false;
    }
    const Message& message() override { return message_; }
    void next() override { keys_.next(); }
    void release() override { keys_.release(); }

private:
    KeyScan keys_;
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

/// Fills in a message from an element's key, without the common prefix, and the element's value.
void describe(Message& message, std::string_view suffix, std::string_view value)
{
    switch (message.structure) {
    case Structure::list:
        message.operation = Operation::push_back;
        message.value = value;
        break;
    case Structure::sorted_set:
        message.operation = Operation::add;
        message.value = sorted_set::member_at(suffix);
        message.score = sorted_set::score_at(suffix);
        break;
    default:
        message.operation = Operation::add;
        message.value = suffix;
        break;
    }
}

/// A scan of collections. It counts elements as the header says, so that a missing one is
/// noticed.
class CollectionScan final : public StateScan {
public:
    CollectionScan(Structure structure, KeySpace space, std::vector<KeyInterval> selected, Time now)
        : space_(std::move(space)),
          keys_(space_, {&collection::header_kind, 1}, std::move(selected)),
          now_(now)
    {
        message_.structure = structure;
    }

    bool valid() override
    {
        while (!open_ && keys_.valid()) {
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
    void release() override
    {
        if (open_ && open_->left > 0 && stands_ && elements_->valid()) {
            open_->elements.first = elements_->key();
        }
        elements_.reset();
        stands_ = false;
        keys_.release();
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
        const collection::Header header = collection::read_header(keys_.value());
        if (has_expired(header.deadline, now_)) {
            keys_.next();
            return;
        }
        open_ = Open{std::string(keys_.key()), elements_of(message_.structure, header), header.size,
                     header.deadline};
    }

    void close()
    {
        open_.reset();
        stands_ = false;
        keys_.next();
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
    KeyScan keys_;
    const Time now_;
    std::optional<Open> open_;
    std::shared_ptr<KeyIterator> elements_;
    bool stands_ = false;  ///< true if the iterator is in the open collection
    Message message_;
};

}  // namespace

std::unique_ptr<StateScan> scan_state(Structure structure, KeySpace space,
                                      std::vector<KeyInterval> selected, Time now)
{
    if (structure == Structure::btree) {
        return std::make_unique<BTreeScan>(std::move(space), std::move(selected), now);
    }
    return std::make_unique<CollectionScan>(structure, std::move(space), std::move(selected), now);
}

}  // namespace keywatch::structures
