// SPDX-License-Identifier: BSL-1.0
#include "power_loss_env.hpp"

#include <algorithm>

namespace keywatch::test {

namespace {

using leveldb::Slice;
using leveldb::Status;

constexpr std::size_t page_bytes = 4096;

bool is_manifest(const std::string& name)
{
    return name.substr(name.rfind('/') + 1).starts_with("MANIFEST");
}

/// Changes these bytes, which are in one page, as a power cut may change them.
void spoil(char* begin, char* end, std::mt19937_64& random)
{
    switch (random() % 8) {
    case 0:
        std::fill(begin, end, '\0');
        break;
    case 1:
        std::generate(begin, end, [&] { return static_cast<char>(random()); });
        break;
    case 2:
        std::fill(begin + random() % static_cast<std::size_t>(end - begin), end, '\0');
        break;
    default:
        break;
    }
}

}  // namespace

std::string PowerLossEnv::parent_of(const std::string& name)
{
    const std::size_t slash = name.rfind('/');
    return slash == std::string::npos ? "." : name.substr(0, std::max<std::size_t>(slash, 1));
}

void PowerLossEnv::Change::apply(Names& names) const
{
    switch (kind) {
    case Kind::file_made:
        names.files[name] = inode;
        break;
    case Kind::file_removed:
        names.files.erase(name);
        break;
    case Kind::file_renamed:
        names.files.erase(name);
        names.files[to] = inode;
        break;
    case Kind::directory_made:
        names.directories.insert(name);
        break;
    case Kind::directory_removed:
        names.directories.erase(name);
        break;
    }
}

PowerLossEnv::PowerLossEnv() : EnvWrapper(leveldb::Env::Default())
{
    for (const char* root : {"/", "."}) {
        now_.directories.insert(root);
        durable_.directories.insert(root);
    }
}

PowerLossEnv::~PowerLossEnv() = default;

void PowerLossEnv::cut_power()
{
    const std::lock_guard lock(mutex_);
    dark_ = true;
}

void PowerLossEnv::cut_power_after(std::uint64_t operations)
{
    const std::lock_guard lock(mutex_);
    cut_at_ = operations_ + operations;
}

bool PowerLossEnv::power_is_cut() const
{
    const std::lock_guard lock(mutex_);
    return dark_;
}

std::uint64_t PowerLossEnv::operations() const
{
    const std::lock_guard lock(mutex_);
    return operations_;
}

std::unique_ptr<PowerLossEnv> PowerLossEnv::survivors(const Survival& survival) const
{
    using Unsynced = Survival::Unsynced;
    std::mt19937_64 random(survival.seed);
    auto after = std::make_unique<PowerLossEnv>();
    const std::lock_guard lock(mutex_);
    Names names = durable_;
    for (const Change& change : pending_) {
        if (survival.names == Unsynced::kept ||
            (survival.names == Unsynced::random && random() % 2 == 0)) {
            change.apply(names);
        }
    }
    after->now_.directories = names.directories;
    for (const auto& [name, inode] : names.files) {
        if (!names.directories.contains(parent_of(name))) {
            continue;
        }
        auto copy = std::make_shared<Inode>();
        copy->bytes = remains(*inode, survival.bytes, random);
        copy->synced = copy->bytes.size();
        after->now_.files[name] = std::move(copy);
    }
    after->durable_ = after->now_;
    return after;
}

std::string PowerLossEnv::remains(const Inode& inode, Survival::Unsynced bytes,
                                  std::mt19937_64& random)
{
    const std::size_t size = inode.bytes.size();
    if (bytes == Survival::Unsynced::kept) {
        return inode.bytes;
    }
    if (bytes == Survival::Unsynced::lost) {
        return inode.bytes.substr(0, inode.synced);
    }
    const bool by_pages = random() % 2 == 0;
    const bool whole = by_pages && random() % 2 == 0;
    std::string left =
        inode.bytes.substr(0, whole ? size : inode.synced + random() % (size - inode.synced + 1));
    for (std::size_t at = inode.synced; by_pages && at < left.size();) {
        const std::size_t end = std::min(left.size(), (at / page_bytes + 1) * page_bytes);
        spoil(left.data() + at, left.data() + end, random);
        at = end;
    }
    return left;
}

void PowerLossEnv::fail_append(std::uint64_t nth, Torn written, const std::string& suffix)
{
    const std::lock_guard lock(mutex_);
    faults_.push_back({true, nth, written, suffix});
}

void PowerLossEnv::fail_sync(std::uint64_t nth, const std::string& suffix)
{
    const std::lock_guard lock(mutex_);
    faults_.push_back({false, nth, Torn::nothing, suffix});
}

void PowerLossEnv::limit_space(std::uint64_t bytes)
{
    const std::lock_guard lock(mutex_);
    space_ = bytes;
}

void PowerLossEnv::hold_background()
{
    const std::lock_guard lock(mutex_);
    holding_ = true;
}

void PowerLossEnv::release_background()
{
    std::vector<std::pair<void (*)(void*), void*>> work;
    {
        const std::lock_guard lock(mutex_);
        holding_ = false;
        work.swap(held_);
    }
    released_.notify_all();
    for (const auto& [function, argument] : work) {
        target()->Schedule(function, argument);
    }
}

std::map<std::string, std::string> PowerLossEnv::contents() const
{
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::string> contents;
    for (const auto& [name, inode] : now_.files) {
        contents[name] = inode->bytes;
    }
    return contents;
}

void PowerLossEnv::overwrite(const std::string& name, std::string bytes)
{
    const std::lock_guard lock(mutex_);
    auto inode = std::make_shared<Inode>();
    inode->synced = bytes.size();
    inode->bytes = std::move(bytes);
    now_.files[name] = inode;
    durable_.files[name] = inode;
}

Status PowerLossEnv::fail_if_dark() const
{
    return dark_ ? Status::IOError("the power is cut") : Status::OK();
}

Status PowerLossEnv::begin_operation()
{
    if (operations_ >= cut_at_) {
        dark_ = true;
    }
    if (dark_) {
        return fail_if_dark();
    }
    ++operations_;
    return Status::OK();
}

/// Counts down the faults that match this operation. Returns the one that is due, if any.
const PowerLossEnv::Fault* PowerLossEnv::hit(bool append, const std::string& name)
{
    const Fault* found = nullptr;
    for (auto fault = faults_.begin(); fault != faults_.end();) {
        if (fault->append == append && name.ends_with(fault->suffix) && --fault->nth == 0) {
            hit_ = *fault;
            found = &hit_;
            fault = faults_.erase(fault);
        } else {
            ++fault;
        }
    }
    return found;
}

void PowerLossEnv::change(Change change)
{
    change.apply(now_);
    pending_.push_back(std::move(change));
}

Status PowerLossEnv::append(const std::string& name, Inode& inode, const Slice& data)
{
    const std::lock_guard lock(mutex_);
    if (Status status = begin_operation(); !status.ok()) {
        return status;
    }
    if (const Fault* fault = hit(true, name)) {
        inode.bytes.append(data.data(), fault->written == Torn::half ? data.size() / 2 : 0);
        return Status::IOError(name, "injected failure");
    }
    const std::size_t fits = static_cast<std::size_t>(std::min<std::uint64_t>(space_, data.size()));
    inode.bytes.append(data.data(), fits);
    space_ -= space_ == UINT64_MAX ? 0 : fits;
    return fits == data.size() ? Status::OK() : Status::IOError(name, "No space left on device");
}

Status PowerLossEnv::sync(const std::string& name, Inode& inode)
{
    const std::lock_guard lock(mutex_);
    if (Status status = begin_operation(); !status.ok()) {
        return status;
    }
    if (hit(false, name) != nullptr) {
        return Status::IOError(name, "injected failure");
    }
    inode.synced = inode.bytes.size();
    if (is_manifest(name)) {
        make_directory_durable(parent_of(name));
    }
    return Status::OK();
}

/// Releases the space of a file that is about to be removed.
void PowerLossEnv::give_back(const std::string& name)
{
    const auto found = now_.files.find(name);
    if (space_ != UINT64_MAX && found != now_.files.end()) {
        space_ += found->second->bytes.size() + found->second->reserved;
    }
}

Status PowerLossEnv::reserve(const std::string& name, std::uint64_t bytes)
{
    const std::lock_guard lock(mutex_);
    if (Status status = begin_operation(); !status.ok()) {
        return status;
    }
    if (!now_.files.contains(name)) {
        change({Change::Kind::file_made, name, {}, std::make_shared<Inode>()});
    }
    Inode& inode = *now_.files[name];
    if (space_ + inode.reserved < bytes) {
        return Status::IOError(name, "No space left on device");
    }
    space_ = space_ + inode.reserved - bytes;
    inode.reserved = bytes;
    return Status::OK();
}

std::optional<std::uint64_t> PowerLossEnv::free_bytes(const std::string&)
{
    const std::lock_guard lock(mutex_);
    return space_ == UINT64_MAX ? std::nullopt : std::optional(space_);
}

void PowerLossEnv::make_directory_durable(const std::string& directory)
{
    std::erase_if(pending_, [&](const Change& change) {
        const bool there = parent_of(change.name) == directory;
        if (there) {
            change.apply(durable_);
        }
        return there;
    });
}

Status PowerLossEnv::sync_directory(const std::string& directory)
{
    const std::lock_guard lock(mutex_);
    if (Status status = begin_operation(); !status.ok()) {
        return status;
    }
    if (hit(false, directory + "/") != nullptr) {
        return Status::IOError(directory, "injected failure");
    }
    make_directory_durable(directory);
    return Status::OK();
}

Status PowerLossEnv::sync_file(const std::string& name)
{
    std::shared_ptr<Inode> inode;
    {
        const std::lock_guard lock(mutex_);
        const auto found = now_.files.find(name);
        if (found == now_.files.end()) {
            return fail_if_dark();
        }
        inode = found->second;
    }
    return sync(name, *inode);
}

}  // namespace keywatch::test
