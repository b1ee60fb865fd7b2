// SPDX-License-Identifier: BSL-1.0
#include "log_recovery.hpp"

#include "checked_log.hpp"
#include "log_mark.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>
#include <vector>

namespace keywatch::storage {

namespace {

std::string_view without_directory(std::string_view name)
{
    return name.substr(name.rfind('/') + 1);
}

}  // namespace

std::optional<std::uint64_t> log_number(std::string_view name)
{
    name = without_directory(name);
    if (!name.ends_with(".log")) {
        return std::nullopt;
    }
    name.remove_suffix(4);
    std::uint64_t number = 0;
    const char* const end = name.data() + name.size();
    const auto [stopped, error] = std::from_chars(name.data(), end, number);
    return error == std::errc{} && stopped == end ? std::optional(number) : std::nullopt;
}

bool is_manifest(std::string_view name)
{
    return without_directory(name).starts_with("MANIFEST-");
}

class LogRecovery::Manifest final : public CheckedLog {
public:
    Manifest(LogRecovery& recovery, std::string name, std::unique_ptr<leveldb::SequentialFile> file)
        : CheckedLog(std::move(name), std::move(file), edit_bytes), recovery_(recovery)
    {
    }

private:
    /// The needed fields of an edit come before the keys in it.
    static constexpr std::size_t edit_bytes = 256;

    bool belongs(std::string_view beginning, std::size_t) override
    {
        recovery_.note(parse_edit(beginning));
        return true;
    }

    /// An edit is written only after the earlier ones have been synced. A record after an invalid
    /// one is therefore damage.
    void examine_tail(std::string_view block, std::size_t from) override
    {
        if (has_beginning(block, from)) {
            damaged("an invalid record is followed by others");
        }
    }

    leveldb::Status finish(bool) override { return recovery_.note_logs(name()); }

    LogRecovery& recovery_;
};

class LogRecovery::WriteLog final : public CheckedLog {
public:
    WriteLog(LogRecovery& recovery, std::string name, std::unique_ptr<leveldb::SequentialFile> file)
        : CheckedLog(std::move(name), std::move(file), write_header_bytes), recovery_(recovery)
    {
    }

private:
    bool belongs(std::string_view beginning, std::size_t size) override
    {
        const auto write = parse_write_header(beginning);
        if (!write) {
            return false;
        }
        mark_ = size == beginning.size() ? parse_mark(beginning) : std::nullopt;
        if (write->entries == 0) {
            return true;
        }
        const Sequence sequence = recovery_.sequence_of(*write, !any_);
        if (sequence == Sequence::gap) {
            damaged("writes before it are missing");
        }
        any_ = any_ || sequence == Sequence::next;
        return sequence == Sequence::next;
    }

    void examine_tail(std::string_view block, std::size_t from) override
    {
        if (!is_zeros(block.substr(from))) {
            complete_ = ends_in_mark(block);
        }
    }

    leveldb::Status finish(bool clean) override
    {
        if (!clean && complete_) {
            damaged("a record is damaged");
        } else if (!clean && !any_) {
            recovery_.begins_damaged_ = true;
        }
        if (mark_ == LogMark::rotated &&
            recovery_.logs_.upper_bound(log_number(name()).value_or(0)) == recovery_.logs_.end()) {
            damaged("the next log is missing");
        }
        return leveldb::Status::OK();
    }

    LogRecovery& recovery_;
    bool any_ = false;       ///< true if a write was read
    bool complete_ = false;  ///< true if a mark follows the valid part
    std::optional<LogMark> mark_;
};

leveldb::Status LogRecovery::open(const std::string& name, leveldb::SequentialFile** file)
{
    leveldb::SequentialFile* opened = nullptr;
    leveldb::Status status = env_->NewSequentialFile(name, &opened);
    std::unique_ptr<leveldb::SequentialFile> base(opened);
    *file = nullptr;
    if (!status.ok()) {
        return status;
    }
    if (is_manifest(name)) {
        *file = new Manifest(*this, name, std::move(base));
    } else {
        *file = new WriteLog(*this, name, std::move(base));
    }
    return status;
}

/// LevelDB creates a log only after it has written out the table before the last one, and so after
/// the manifest has named the log before. The first log that a manifest names is a new one, so the
/// sequence of its first write is known exactly.
void LogRecovery::note(const ManifestEdit& edit)
{
    if (edit.log && *edit.log != oldest_needed_ && edit.last_sequence) {
        most_first_ = *edit.last_sequence + 1;
        least_first_ = last_sequence_ ? *last_sequence_ + 1 : most_first_;
        last_sequence_ = edit.last_sequence;
    }
    oldest_needed_ = edit.log.value_or(oldest_needed_);
}

leveldb::Status LogRecovery::note_logs(const std::string& manifest)
{
    std::vector<std::string> names;
    const std::size_t slash = manifest.rfind('/');
    leveldb::Status status = env_->GetChildren(manifest.substr(0, slash), &names);
    for (const std::string& name : names) {
        if (const auto number = log_number(name)) {
            logs_.insert(*number);
        }
    }
    if (status.ok() && oldest_needed_ != 0 && !logs_.contains(oldest_needed_)) {
        return leveldb::Status::Corruption(manifest, "the log that it names is missing");
    }
    return status;
}

LogRecovery::Sequence LogRecovery::sequence_of(const WriteHeader& write, bool first_of_log)
{
    const std::uint64_t least = next_.value_or(least_first_);
    const std::uint64_t most = next_.value_or(most_first_);
    if (write.sequence > most || begins_damaged_) {
        return first_of_log ? Sequence::gap : Sequence::stale;
    }
    if (write.sequence < least) {
        return Sequence::stale;
    }
    next_ = write.sequence + write.entries;
    return Sequence::next;
}

}  // namespace keywatch::storage
