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

/// The structures of buckets. A bucket name may exist once with each of them.
enum class Structure : std::uint8_t { btree = 1, list = 2, set = 3, sorted_set = 4 };

/// The kind of a change, or of a marker.
enum class Operation : std::uint8_t {
    /// BTree: the key was set to this value.
    put = 1,
    /// All structures: the key and everything it held were removed.
    erase = 2,
    /// A bucket of this structure and name was created.
    bucket_created = 3,
    /// The bucket was deleted.
    bucket_deleted = 4,
    /// List: an element was added at the front.
    push_front = 5,
    /// List: an element was added at the back.
    push_back = 6,
    /// List: the first element was removed.
    pop_front = 7,
    /// List: the last element was removed.
    pop_back = 8,
    /// List: an element was inserted and has this index now.
    insert = 9,
    /// List: the element at this index was replaced.
    set = 10,
    /// List: the element at this index was removed. Set and sorted set: this member was removed.
    remove = 11,
    /// List: only `count` elements from this index on were kept, at least one (if none: `erase`).
    trim = 12,
    /// Set and sorted set: a member was added.
    add = 13,
    /// Sorted set: the score of a member was changed.
    rescore = 14,
    /// All structures: the deadline of the key was changed or removed.
    ttl = 15,

    // Markers have no bucket and key. They are delivered only to watchers that ask for them.
    /// The messages of this watcher from `first_revision` to `revision` were skipped because the
    /// watcher was too slow (`Overflow::skip`). `count` is their number.
    gap = 16,
    /// The state at `revision` has been delivered (`From::snapshot`).
    synced = 17,
    /// Everything up to `revision` has been delivered (`WatchOptions::progress_interval`).
    progress = 18,
};

/// The cause of a change. The deletion of a bucket is a single message with the cause `user`. The
/// enumerator `bucket_deleted` is reserved for messages about the contents of a deleted bucket;
/// there are none so far.
enum class Cause : std::uint8_t { user = 0, expired = 1, bucket_deleted = 2 };

/// @{
/// Returns or writes the name of the enumerator.
std::string_view to_string(Structure structure) noexcept;
std::string_view to_string(Operation operation) noexcept;
std::string_view to_string(Cause cause) noexcept;
std::ostream& operator<<(std::ostream& out, Structure structure);
std::ostream& operator<<(std::ostream& out, Operation operation);
std::ostream& operator<<(std::ostream& out, Cause cause);
/// @}

/// One change of one element, as a watcher receives it.
///
/// Lifetime: the string views point into the commit, which exists while the callback that received
/// the message runs (for a coroutine, until it has returned). Copy the message into an
/// `OwnedMessage` to keep it longer. The bytes belong to the history: nothing that a program does
/// to its own strings changes them.
struct Message {
    /// The revision of the commit.
    Revision revision = 0;
    /// With `Overflow::latest`, the revision of the oldest message that this one replaces: the
    /// messages of this element between the two were discarded. For a `gap`, the first revision
    /// that was skipped. Otherwise equal to `revision`.
    Revision first_revision = 0;
    /// The index of the message in its commit, from 0. (revision, index) is unique.
    std::uint32_t index = 0;
    /// The structure of the bucket.
    Structure structure = Structure::btree;
    /// The operation.
    Operation operation = Operation::put;
    /// The cause of the change.
    Cause cause = Cause::user;
    /// True for the `bucket_deleted` message after which no structure has a bucket of this name.
    bool ends_bucket = false;
    /// True for the last message of this commit that the watcher receives.
    bool last_in_commit = false;
    /// True for messages of the state with which a watch `From::snapshot` begins.
    bool snapshot = false;
    /// The name of the bucket. Empty for markers.
    std::string_view bucket;
    /// The key. Empty for `bucket_created`, `bucket_deleted` and markers.
    std::string_view key;
    /// The new value of a `put`; the element of a list that was pushed, popped, inserted, set or
    /// removed; the member of a set or sorted set. Empty for other operations.
    std::string_view value;
    /// BTree: the value that was erased, or the value that a `put` replaced, if known. It is known
    /// for `exchange`, `increment` and other members that read the value, and always with
    /// `Options::previous_values`. List: the element that `set` replaced. Empty for other
    /// operations, and if there was no value before.
    std::optional<std::string_view> previous;
    /// Sorted set: the score of the member after the change.
    std::optional<double> score;
    /// Sorted set: the score of the member before `rescore` or `remove`.
    std::optional<double> previous_score;
    /// List: the index, from 0, for `insert`, `set`, `remove` and `trim`. It refers to the list
    /// after all messages before this one.
    std::optional<std::uint64_t> list_index;
    /// The number of elements that an `erase` removed from a list, set or sorted set, or that a
    /// `trim` kept; the number of messages that a `gap` replaces.
    std::optional<std::uint64_t> count;
    /// For `put` and `ttl`: the time at which the key expires. Empty if it never does.
    std::optional<Time> deadline;
    /// The time of the commit, taken after its transaction had run. In history it never decreases
    /// from one commit to the next, even if the clock goes backwards.
    Time time{};
    /// The origin that the transaction set with `set_origin`. May be empty.
    std::string_view origin;
};

/// A message that owns its bytes, for use after the callback has returned.
class OwnedMessage {
public:
    /// Copies the message and all bytes that its views point to.
    explicit OwnedMessage(const Message& message);

    /// Copies the message and all its bytes.
    OwnedMessage(const OwnedMessage& other);
    /// Moves from another message, which can afterwards only be destroyed or assigned to.
    OwnedMessage(OwnedMessage&& other) noexcept;
    /// Same as the constructors.
    OwnedMessage& operator=(OwnedMessage other) noexcept;
    ~OwnedMessage() = default;

    /// Returns the message. Its views are valid until this object is changed or destroyed.
    const Message& get() const noexcept { return message_; }
    /// Same as `get()`.
    const Message* operator->() const noexcept { return &message_; }
    /// Same as `get()`.
    const Message& operator*() const noexcept { return message_; }

private:
    std::unique_ptr<char[]> bytes_;
    Message message_;
};

/// All changes of one transaction. Immutable, and shared by all its users.
struct CommitRecord {
    /// The revision of the commit.
    Revision revision = 0;
    /// The revision before this one, in the order of commits.
    Revision previous = 0;
    /// The time of the commit.
    Time time{};
    /// The origin that the transaction set. May be empty.
    std::string_view origin;
    /// All messages, in the order in which the transaction produced them.
    std::pmr::vector<Message> messages;
    /// The bytes that the views above point to.
    std::pmr::string bytes;

    CommitRecord() = default;
    /// Constructs an empty record that allocates from this memory resource, which must outlive it.
    explicit CommitRecord(std::pmr::memory_resource* memory) : messages(memory), bytes(memory) {}
    CommitRecord(const CommitRecord&) = delete;
    CommitRecord& operator=(const CommitRecord&) = delete;

    /// Returns the memory that a reference to this commit keeps alive, in bytes.
    std::size_t pinned_bytes() const noexcept;
};

/// The messages of one commit that a watcher has selected, in the order in which the transaction
/// produced them.
///
/// Lifetime: that of a `Message`; a `Commit` must not be kept. Thread safety: may be read from
/// several threads.
class Commit {
public:
    /// An input iterator over the selected messages.
    class Iterator {
    public:
        /// @cond internal
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

    /// Constructs a selection of the messages of a record. `selected` contains their indexes in the
    /// record (null: all messages). `since` contains, for each of them, the first revision that it
    /// replaces (null: its own). For `seen`, see `Position::seen_of_next`.
    Commit(const CommitRecord& record, const std::vector<std::uint32_t>* selected,
           const std::vector<Revision>* since = nullptr, std::uint32_t seen = 0) noexcept
        : record_(&record), selected_(selected), since_(since), seen_(seen)
    {
    }

    /// Returns the revision of the commit.
    Revision revision() const noexcept { return record_->revision; }
    /// Returns the revision before this one, in the order of commits.
    Revision previous() const noexcept { return record_->previous; }
    /// Returns the time of the commit.
    Time time() const noexcept { return record_->time; }
    /// Returns the origin that the transaction set. May be empty.
    std::string_view origin() const noexcept { return record_->origin; }

    /// Returns the position of a consumer that has processed this commit, to be stored together
    /// with the results. A watch `From::after` this position continues where this commit ends for
    /// the watch. That is within the commit if the bucket of the watch ends in it and is created
    /// again. For a part of a state, returns the position before all revisions, because such a
    /// start cannot be resumed.
    Position position(const HistoryId& history) const noexcept;

    /// Returns the number of selected messages, at least 1.
    std::size_t size() const noexcept
    {
        return selected_ ? selected_->size() : record_->messages.size();
    }

    /// Returns a selected message. Precondition: at < size().
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

    /// Returns an iterator to the first selected message.
    Iterator begin() const noexcept { return {this, 0}; }
    /// Returns the end of the selected messages.
    Iterator end() const noexcept { return {this, size()}; }

    /// @cond internal
    /// Returns the index of a selected message in the record.
    std::uint32_t place(std::size_t at) const
    {
        return selected_ ? (*selected_)[at] : static_cast<std::uint32_t>(at);
    }
    /// Returns another selection of the same record.
    Commit with(const std::vector<std::uint32_t>* selected,
                const std::vector<Revision>* since) const noexcept
    {
        return {*record_, selected, since, seen_};
    }
    /// Returns the `seen` argument of the constructor.
    std::uint32_t seen() const noexcept { return seen_; }
    /// @endcond

private:
    const CommitRecord* record_;
    const std::vector<std::uint32_t>* selected_;
    const std::vector<Revision>* since_;
    std::uint32_t seen_;
};

}  // namespace keywatch
