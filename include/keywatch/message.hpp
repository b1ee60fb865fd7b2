// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>
#include <keywatch/time.hpp>

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <iterator>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace [[gnu::visibility("default")]] keywatch {

/// The kinds of buckets. One bucket name may exist once with each of them.
enum class Structure : std::uint8_t { btree = 1, list = 2, set = 3, sorted_set = 4 };

/// What happened to one element.
enum class Operation : std::uint8_t {
    /// BTree: the key has this value now.
    put = 1,
    /// All structures: the key is gone, with all it held.
    erase = 2,
    /// There is a bucket of this structure and name now.
    bucket_created = 3,
    /// There is none any more.
    bucket_deleted = 4,
    /// List: an element was added at the front.
    push_front = 5,
    /// List: an element was added at the back.
    push_back = 6,
    /// List: the first element was taken away.
    pop_front = 7,
    /// List: the last element was taken away.
    pop_back = 8,
    /// List: an element was added, and has this index now.
    insert = 9,
    /// List: the element at this index was replaced.
    set = 10,
    /// List: the element at this index, set and sorted set: this member, was taken away.
    remove = 11,
    /// List: only `count` elements from this index on are left, at least one (none: `erase`).
    trim = 12,
    /// Set and sorted set: a new member.
    add = 13,
    /// Sorted set: a member has another score.
    rescore = 14,
    /// All structures: the key has another deadline, or none any more.
    ttl = 15,

    // Markers: of no bucket and key; only for watchers that have asked for them.
    /// What was committed from `first_revision` to `revision` was left out, as the watcher was too
    /// slow (`Overflow::skip`): `count` messages that it should have been given.
    gap = 16,
    /// The state at `revision` has been delivered (`From::snapshot`).
    synced = 17,
    /// Everything up to `revision` has been delivered (`WatchOptions::progress_interval`).
    progress = 18,
};

/// Why it happened. The deletion of a bucket is one message, of the user: `bucket_deleted` is kept
/// for messages about what was in one, of which there are none so far.
enum class Cause : std::uint8_t { user = 0, expired = 1, bucket_deleted = 2 };

/// @{
/// The name of the enumerator.
std::string_view to_string(Structure structure) noexcept;
std::string_view to_string(Operation operation) noexcept;
std::string_view to_string(Cause cause) noexcept;
std::ostream& operator<<(std::ostream& out, Structure structure);
std::ostream& operator<<(std::ostream& out, Operation operation);
std::ostream& operator<<(std::ostream& out, Cause cause);
/// @}

/// One change of one element, as a watcher sees it.
///
/// Lifetime: the string views point into the commit, which is kept for as long as the callback that
/// was given the message runs (a coroutine: until it has returned). Copy into an `OwnedMessage`
/// what has to live longer. The bytes are the history's own: nothing that a program does to its own
/// strings, before or after, changes them.
struct Message {
    /// The number of the commit.
    Revision revision = 0;
    /// With `Overflow::latest`, the revision of the oldest message that this one stands for: those
    /// of the same element between the two were left out. Of `gap` the first revision that was left
    /// out. Else as `revision`.
    Revision first_revision = 0;
    /// The place of the message in its commit, from 0. (revision, index) is unique.
    std::uint32_t index = 0;
    /// The kind of the bucket.
    Structure structure = Structure::btree;
    /// What happened.
    Operation operation = Operation::put;
    /// Why it happened.
    Cause cause = Cause::user;
    /// Set on the `bucket_deleted` message after which no structure of that name is left.
    bool ends_bucket = false;
    /// Set on the last message of this commit that the watcher is given.
    bool last_in_commit = false;
    /// Set on messages of the state that a watch `From::snapshot` begins with.
    bool snapshot = false;
    /// The name of the bucket.
    std::string_view bucket;
    /// Empty for `bucket_created` and `bucket_deleted`.
    std::string_view key;
    /// The new value of a put; the element of a list that was pushed, popped, inserted, set or
    /// removed; the member of a set or a sorted set. Empty for others.
    std::string_view value;
    /// BTree: the value that was erased, and the one that a put replaced where that is known: from
    /// `exchange`, `increment` and others that read it, and always with
    /// `Options::previous_values`. List: the element that `set` replaced. Else nothing; and nothing
    /// where there was none.
    std::optional<std::string_view> previous;
    /// Sorted set: the score that the member has now.
    std::optional<double> score;
    /// Sorted set: the score that the member had before `rescore` or `remove`.
    std::optional<double> previous_score;
    /// List: where, counted from 0, of `insert`, `set`, `remove` and `trim`, each after all
    /// messages before it.
    std::optional<std::uint64_t> list_index;
    /// How many elements `erase` took away from a list, set or sorted set, and `trim` has left; how
    /// many messages a `gap` stands for.
    std::optional<std::uint64_t> count;
    /// When the key will expire, of `put` and `ttl`; nothing: never.
    std::optional<Time> deadline;
    /// The time of the commit: when its transaction had run. It never goes backwards from one
    /// commit to the next in history, even if the clock does.
    Time time{};
    /// The tag that the transaction gave itself with `set_origin`, or empty.
    std::string_view origin;
};

/// A message that owns its bytes, to be kept after the callback has returned.
class OwnedMessage {
public:
    /// Copies the message and all that its views point into.
    explicit OwnedMessage(const Message& message);

    /// As of the message.
    OwnedMessage(const OwnedMessage& other);
    /// What is moved from can only be destroyed or assigned to.
    OwnedMessage(OwnedMessage&& other) noexcept;
    /// As the constructors.
    OwnedMessage& operator=(OwnedMessage other) noexcept;
    ~OwnedMessage() = default;

    /// The message; its views are valid as long as this object is neither changed nor destroyed.
    const Message& get() const noexcept { return message_; }
    /// As `get()`.
    const Message* operator->() const noexcept { return &message_; }
    /// As `get()`.
    const Message& operator*() const noexcept { return message_; }

private:
    std::unique_ptr<char[]> bytes_;
    Message message_;
};

/// All that one transaction changed, immutable and shared by everybody who looks at it.
struct CommitRecord {
    /// The number of the commit.
    Revision revision = 0;
    /// The revision before this one, in the order of commits.
    Revision previous = 0;
    /// The time of the commit.
    Time time{};
    /// The tag that the transaction gave itself, or empty.
    std::string_view origin;
    /// All its messages, in the order the transaction made them.
    std::pmr::vector<Message> messages;
    /// What the views above point into.
    std::pmr::string bytes;

    CommitRecord() = default;
    /// With what it owns in this memory, which must outlive it.
    explicit CommitRecord(std::pmr::memory_resource* memory) : messages(memory), bytes(memory) {}
    CommitRecord(const CommitRecord&) = delete;
    CommitRecord& operator=(const CommitRecord&) = delete;

    /// Memory that a reference to this commit keeps alive, in bytes.
    std::size_t pinned_bytes() const noexcept;
};

/// The messages of one commit that a watcher has selected, in the order the transaction made them.
///
/// Lifetime: as of `Message`; not to be kept. Thread safety: it may be read from several threads.
class Commit {
public:
    /// An input iterator over the selected messages.
    class Iterator {
    public:
        /// @cond what iterators have
        using iterator_category = std::input_iterator_tag;
        using value_type = Message;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = Message;

        Iterator() = default;
        Message operator*() const { return (*commit_)[at_]; }
        Iterator& operator++()
        {
            ++at_;
            return *this;
        }
        Iterator operator++(int)
        {
            Iterator old = *this;
            ++at_;
            return old;
        }
        friend bool operator==(const Iterator& a, const Iterator& b) { return a.at_ == b.at_; }
        /// @endcond

    private:
        friend class Commit;
        Iterator(const Commit* commit, std::size_t at) : commit_(commit), at_(at) {}

        const Commit* commit_ = nullptr;
        std::size_t at_ = 0;
    };

    /// `selected`: the places of the selected messages in the record; null: all of them. `since`:
    /// of each of these the first revision that it stands for; null: its own. `seen`: see
    /// `Position::seen_of_next`.
    Commit(const CommitRecord& record, const std::vector<std::uint32_t>* selected,
           const std::vector<Revision>* since = nullptr, std::uint32_t seen = 0) noexcept
        : record_(&record), selected_(selected), since_(since), seen_(seen)
    {
    }

    /// The number of the commit.
    Revision revision() const noexcept { return record_->revision; }
    /// The revision before this one, in the order of commits.
    Revision previous() const noexcept { return record_->previous; }
    /// The time of the commit.
    Time time() const noexcept { return record_->time; }
    /// The tag that the transaction gave itself, or empty.
    std::string_view origin() const noexcept { return record_->origin; }

    /// The position of a consumer that has dealt with this commit, to be stored with what it made
    /// of it: a watch `From::after` that goes on where this commit ends for the watch. That is
    /// within the commit, if the bucket of the watch ends there and is made anew. Of a part of a
    /// state the position before all revisions, as such a start is not resumed.
    Position position(const HistoryId& history) const noexcept;

    /// How many messages were selected; at least 1.
    std::size_t size() const noexcept
    {
        return selected_ ? selected_->size() : record_->messages.size();
    }

    /// Precondition: at < size().
    Message operator[](std::size_t at) const
    {
        Message message = record_->messages[selected_ ? (*selected_)[at] : at];
        message.last_in_commit = at + 1 == size();
        if (since_) {
            message.first_revision = (*since_)[at];
        } else if (message.first_revision == 0) {
            message.first_revision = message.revision;
        }
        return message;
    }

    /// The first selected message.
    Iterator begin() const noexcept { return {this, 0}; }
    /// Behind the last one.
    Iterator end() const noexcept { return {this, size()}; }

    /// @cond no part of the interface
    /// Where in the record a selected message is.
    std::uint32_t place(std::size_t at) const
    {
        return selected_ ? (*selected_)[at] : static_cast<std::uint32_t>(at);
    }
    /// Another selection of the same record.
    Commit with(const std::vector<std::uint32_t>* selected,
                const std::vector<Revision>* since) const noexcept
    {
        return {*record_, selected, since, seen_};
    }
    /// As the constructor was given it.
    std::uint32_t seen() const noexcept { return seen_; }
    /// @endcond

private:
    const CommitRecord* record_;
    const std::vector<std::uint32_t>* selected_;
    const std::vector<Revision>* since_;
    std::uint32_t seen_;
};

}  // namespace keywatch
