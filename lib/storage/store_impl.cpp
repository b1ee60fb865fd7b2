// SPDX-License-Identifier: BSL-1.0
#include "store_impl.hpp"

#include "failure.hpp"

#include "bytes/prefix_end.hpp"
#include "storage/files/disk_env.hpp"
#include "storage/table/checked_iterator.hpp"
#include "values/failure.hpp"

#include <leveldb/helpers/memenv.h>

#include <sys/resource.h>

#include <algorithm>
#include <cstdarg>
#include <new>
#include <utility>

namespace keywatch::storage {

namespace {

constexpr std::string_view memory_location = "memory:";
constexpr int filter_bits_per_key = 10;

/// Returns the maximum number of files that LevelDB keeps open: at most 500, and at most a quarter
/// of the process's descriptors, since each open table holds one.
int most_open_files()
{
    constexpr rlim_t most = 500;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return most;
    }
    return static_cast<int>(std::min(most, limit.rlim_cur / 4));
}

bool in_memory(const Options& options)
{
    return options.location == memory_location;
}

std::unique_ptr<leveldb::Env> make_memory(const Options& options, const leveldb::Env* given)
{
    return std::unique_ptr<leveldb::Env>(
        in_memory(options) && given == nullptr ? leveldb::NewMemEnv(&disk_env()) : nullptr);
}

Location location_for(const Options& options, leveldb::Env* memory, leveldb::Env* given)
{
    if (in_memory(options)) {
        return find_location("/memory", given != nullptr ? given : memory, Error::open_failed);
    }
    return find_location(options.location, given, Error::open_failed);
}

/// A logger that discards everything. Without a logger, LevelDB writes its own log file into the
/// directory.
class NoLog final : public leveldb::Logger {
public:
    void Logv(const char*, std::va_list) override {}
};

Directory::Use use_for(const Options& options)
{
    if (options.read_only) {
        return Directory::Use::read;
    }
    return options.create_if_missing ? Directory::Use::create : Directory::Use::write;
}

std::uint64_t reserve_for(const Options& options)
{
    constexpr std::uint64_t fixed = std::uint64_t{16} << 20;
    return options.reserve_bytes.value_or(3 * std::uint64_t{options.write_buffer_bytes} + fixed);
}

}  // namespace

Options Store::located(Options options)
{
    if (!in_memory(options)) {
        options.location = absolute_path(options.location, Error::open_failed);
    }
    return options;
}

Store::Impl::Impl(const Options& options, leveldb::Env* given)
    : read_only(options.read_only),
      write_buffer_bytes(options.write_buffer_bytes),
      memory(make_memory(options, given)),
      location(location_for(options, memory.get(), given)),
      reserve(location, reserve_for(options), options.write_buffer_bytes),
      overlay(read_only ? std::make_unique<OverlayEnv>(location.env) : nullptr),
      environment(overlay ? overlay.get() : location.env, overlay ? nullptr : location.disk),
      log(std::make_unique<NoLog>()),
      cache(leveldb::NewLRUCache(options.cache_bytes)),
      filter(leveldb::NewBloomFilterPolicy(filter_bits_per_key))
{
    if (memory == nullptr) {
        directory.emplace(location, use_for(options));
    }
}

Store::Impl::~Impl()
{
    close_database();
}

void Store::Impl::close_database()
{
    environment.release_background();
    if (is_torn) {
        static_cast<void>(db.release());  // NOLINT(bugprone-unused-return-value): see is_torn
    }
    db.reset();
}

void Store::Impl::undo_open()
{
    close_database();
    if (directory) {
        directory->rollback();
    }
}

void Store::Impl::finish_open()
{
    if (read_only) {
        return;
    }
    environment.end_trial();
    if (!directory) {
        return;
    }
    directory->keep();
    if (directory->data_bytes() >= write_buffer_bytes) {
        reserve.make();
    }
    reserve.give_up_if_scarce();
}

void Store::Impl::keep_reserve()
{
    const std::uint64_t logs = environment.logs_created();
    if (logs != std::exchange(logs_seen, logs)) {
        reserve.make();
    }
}

void Store::Impl::open_database()
{
    leveldb::Options options;
    options.create_if_missing = true;  // existing files have been checked
    options.env = &environment;
    options.info_log = log.get();
    options.block_cache = cache.get();
    options.filter_policy = filter.get();
    options.write_buffer_size = write_buffer_bytes;
    options.max_open_files = most_open_files();
    options.compression = leveldb::kNoCompression;
    options.paranoid_checks = true;  // the environment hides a log's torn end

    if (read_only) {
        environment.hold_background();
    } else {
        environment.begin_trial();
    }
    environment.begin_recovery();
    leveldb::DB* opened = nullptr;
    const leveldb::Status status = leveldb::DB::Open(options, location.path, &opened);
    db.reset(opened);
    environment.end_recovery();
    if (status.IsCorruption() || status.IsInvalidArgument() || status.IsNotFound()) {
        fail(Error::damaged, status.ToString());
    }
    if (status.IsIOError() &&
        status.ToString().find("lock " + location.path) != std::string::npos) {
        fail(Error::locked, status.ToString());
    }
    if (!status.ok()) {
        fail_open(status);
    }
}

std::unique_ptr<leveldb::Iterator> Store::Impl::iterate(const leveldb::Snapshot* at,
                                                        bool fill_cache) const
{
    leveldb::ReadOptions options;
    options.snapshot = at;
    options.fill_cache = fill_cache;
    const ReadCheck reads;
    std::unique_ptr<leveldb::Iterator> iterator;
    try {
        iterator.reset(db->NewIterator(options));
    } catch (const std::bad_alloc&) {
        is_torn = true;
        throw;
    }
    reads.check();
    return std::make_unique<CheckedIterator>(std::move(iterator));
}

std::optional<std::string> Store::Impl::get(std::string_view key, const leveldb::Snapshot* at) const
{
    leveldb::ReadOptions options;
    options.snapshot = at;
    std::string value;
    const ReadCheck reads;
    leveldb::Status status;
    try {
        status = db->Get(options, {key.data(), key.size()}, &value);
    } catch (const std::bad_alloc&) {
        is_torn = true;
        throw;
    }
    reads.check(status.IsNotFound() ? leveldb::Status::OK() : status);
    return status.ok() ? std::optional(std::move(value)) : std::nullopt;
}

std::optional<std::uint64_t> Store::Impl::number(std::string_view key,
                                                 const leveldb::Snapshot* at) const
{
    const auto value = get(key, at);
    if (!value) {
        return std::nullopt;
    }
    const auto number = decode_number(*value);
    if (!number) {
        fail(Error::damaged, std::string(key) + " is not a number");
    }
    return number;
}

Revision Store::Impl::newest_record(leveldb::Iterator& iterator) const
{
    iterator.Seek(*bytes::prefix_end(std::string_view(&history_area, 1)));
    if (iterator.Valid()) {
        iterator.Prev();
    } else {
        iterator.SeekToLast();
    }
    if (!iterator.Valid()) {
        return 0;
    }
    const std::string_view key(iterator.key().data(), iterator.key().size());
    if (!key.starts_with(history_area)) {
        return 0;
    }
    const auto parsed = parse_history_key(key);
    if (!parsed) {
        fail(Error::damaged, "a history record has no revision");
    }
    return parsed->first;
}

Revision Store::Impl::oldest(const leveldb::Snapshot* at) const
{
    const Revision kept = number(oldest_key, at).value_or(1);
    const Revision overtaken = number(head_key, at).value_or(0);
    return std::max(kept, overtaken + 1);
}

}  // namespace keywatch::storage
