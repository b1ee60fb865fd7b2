// SPDX-License-Identifier: BSL-1.0
#include "collection.hpp"

#include "stamp.hpp"

#include "bytes/glob.hpp"
#include "bytes/numbers.hpp"
#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <utility>

namespace keywatch::structures::collection {

namespace {

constexpr char element_kind = 'e';
constexpr std::string_view next_id_key = "n";
constexpr std::size_t numbers_bytes = 16;
/// Up to this size, the elements of a collection are erased together with it. The background task
/// would cost more.
constexpr std::uint64_t few_elements = 32;

[[noreturn]] void fail_damaged(const char* what)
{
    fail(Error::damaged, what);
}

std::string header_key(std::string_view key)
{
    std::string full;
    full.reserve(1 + key.size());
    full += header_kind;
    full += key;
    return full;
}

/// Returns the header even if it has expired.
std::optional<Header> load(const Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    const std::optional<std::string> stored = workspace.get(bucket, header_key(key));
    return stored ? std::optional(read_header(*stored)) : std::nullopt;
}

bool expired(const Workspace& workspace, const Header& header)
{
    return header.deadline && *header.deadline <= workspace.now();
}

void remove(Workspace& workspace, BucketIndex bucket, std::string_view key, const Header& header,
            Cause cause)
{
    drop_elements(workspace, bucket, header);
    workspace.erase(bucket, header_key(key));
    workspace.move_deadline(bucket, key, header.deadline, std::nullopt);
    Message message;
    message.operation = Operation::erase;
    message.cause = cause;
    message.key = key;
    message.count = header.size;
    workspace.record(bucket, message);
}

std::uint64_t new_id(Workspace& workspace, BucketIndex bucket)
{
    const std::optional<std::string> stored = workspace.get(bucket, next_id_key);
    if (stored && stored->size() != sizeof(std::uint64_t)) {
        fail_damaged("the next id of a collection");
    }
    const std::uint64_t id = stored ? bytes::load_fixed<std::uint64_t>(stored->data()) : 1;
    std::string next;
    bytes::append_fixed(next, id + 1);
    workspace.put(bucket, next_id_key, next);
    return id;
}

void change_deadline(Workspace& workspace, BucketIndex bucket, std::string_view key, Header header,
                     std::optional<Time> deadline)
{
    workspace.move_deadline(bucket, key, header.deadline, deadline);
    header.deadline = deadline;
    save(workspace, bucket, key, header);
    Message message;
    message.operation = Operation::ttl;
    message.key = key;
    message.deadline = deadline;
    workspace.record(bucket, message);
}

/// A walk over the headers of a bucket.
class Keys final : public detail::Cursor<std::string_view> {
public:
    Keys(std::shared_ptr<Workspace> workspace, BucketIndex bucket, std::string_view pattern)
        : workspace_(std::move(workspace)), iterator_(workspace_->iterate(bucket)), glob_(pattern)
    {
    }

    void start() override
    {
        iterator_->seek(std::string_view(&header_kind, 1));
        pass();
    }
    bool valid() const override
    {
        return iterator_->valid() && iterator_->key().front() == header_kind;
    }
    void next() override
    {
        iterator_->next();
        pass();
    }
    std::string_view current() const override { return iterator_->key().substr(1); }

private:
    /// Skips keys that do not match or have expired.
    void pass()
    {
        while (valid() &&
               (!glob_.matches(current()) || read_stamp(iterator_->value()).expired(*workspace_))) {
            iterator_->next();
        }
    }

    std::shared_ptr<Workspace> workspace_;
    std::shared_ptr<KeyIterator> iterator_;
    bytes::Glob glob_;
};

}  // namespace

Header read_header(std::string_view stored)
{
    const Stamped stamped = read_stamp(stored);
    if (stamped.content.size() < numbers_bytes) {
        fail_damaged("the header of a collection");
    }
    const char* const at = stamped.content.data();
    return {bytes::load_fixed<std::uint64_t>(at), bytes::load_fixed<std::uint64_t>(at + 8),
            stamped.deadline, std::string(stamped.content.substr(numbers_bytes))};
}

std::optional<Header> find(const Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    std::optional<Header> header = load(workspace, bucket, key);
    if (header && expired(workspace, *header)) {
        header.reset();
    }
    return header;
}

std::optional<Header> find_to_write(Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    std::optional<Header> header = load(workspace, bucket, key);
    if (header && expired(workspace, *header)) {
        remove(workspace, bucket, key, *header, Cause::expired);
        header.reset();
    }
    return header;
}

Header find_or_create(Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    if (key.empty()) {
        fail(Error::empty_key);
    }
    std::optional<Header> header = find_to_write(workspace, bucket, key);
    if (!header) {
        header.emplace();
        renew(workspace, bucket, *header);
    }
    return std::move(*header);
}

void save(Workspace& workspace, BucketIndex bucket, std::string_view key, const Header& header)
{
    if (header.size == 0) {
        workspace.erase(bucket, header_key(key));
        workspace.move_deadline(bucket, key, header.deadline, std::nullopt);
        return;
    }
    std::string stored;
    stored.reserve(numbers_bytes + header.content.size() + 9);
    bytes::append_fixed(stored, header.id);
    bytes::append_fixed(stored, header.size);
    stored += header.content;
    append_stamp(stored, header.deadline);
    workspace.put(bucket, header_key(key), stored);
}

std::string element_prefix(std::uint64_t id)
{
    std::string prefix(1, element_kind);
    bytes::append_fixed(prefix, id);
    return prefix;
}

void drop_elements(Workspace& workspace, BucketIndex bucket, const Header& header)
{
    const std::string prefix = element_prefix(header.id);
    if (header.size > few_elements) {
        workspace.drop(bucket, prefix);
        return;
    }
    const std::shared_ptr<KeyIterator> iterator = workspace.iterate(bucket);
    for (iterator->seek(prefix); iterator->valid() && iterator->key().starts_with(prefix);
         iterator->next()) {
        workspace.erase(bucket, iterator->key());
    }
}

void renew(Workspace& workspace, BucketIndex bucket, Header& header)
{
    header.id = new_id(workspace, bucket);
}

bool erase(Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    const std::optional<Header> header = find_to_write(workspace, bucket, key);
    if (header) {
        remove(workspace, bucket, key, *header, Cause::user);
    }
    return header.has_value();
}

bool expire(Workspace& workspace, BucketIndex bucket, std::string_view key, Time deadline)
{
    const std::optional<Header> header = load(workspace, bucket, key);
    if (!header || header->deadline != deadline || !expired(workspace, *header)) {
        return false;
    }
    remove(workspace, bucket, key, *header, Cause::expired);
    return true;
}

std::uint64_t size(const Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    const std::optional<Header> header = find(workspace, bucket, key);
    return header ? header->size : 0;
}

std::optional<std::chrono::milliseconds> ttl(const Workspace& workspace, BucketIndex bucket,
                                             std::string_view key)
{
    const std::optional<Header> header = find(workspace, bucket, key);
    return header && header->deadline ? std::optional(time_left(workspace, *header->deadline))
                                      : std::nullopt;
}

bool set_ttl(Workspace& workspace, BucketIndex bucket, std::string_view key,
             std::chrono::milliseconds ttl)
{
    const Time deadline = deadline_after(workspace, ttl);
    std::optional<Header> header = find_to_write(workspace, bucket, key);
    if (header && header->deadline != deadline) {
        change_deadline(workspace, bucket, key, *header, deadline);
    }
    return header.has_value();
}

bool clear_ttl(Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    std::optional<Header> header = find_to_write(workspace, bucket, key);
    if (!header || !header->deadline) {
        return false;
    }
    change_deadline(workspace, bucket, key, *header, std::nullopt);
    return true;
}

Range<std::string_view> keys(const std::shared_ptr<Workspace>& workspace, BucketIndex bucket,
                             std::string_view pattern)
{
    return Range<std::string_view>(std::make_shared<Keys>(workspace, bucket, pattern));
}

}  // namespace keywatch::structures::collection
