// SPDX-License-Identifier: BSL-1.0
#include "reserve.hpp"

#include <algorithm>
#include <exception>

namespace keywatch::storage {

Reserve::Reserve(const Location& location, std::uint64_t wanted, std::uint64_t least)
    : location_(location),
      file_(location.file(name)),
      wanted_(wanted),
      least_(std::min(wanted, least)),
      bytes_(std::make_shared<std::atomic<std::uint64_t>>(size_on_disk())),
      given_up_(*bytes_ == 0 && location.env->FileExists(file_))
{
}

std::uint64_t Reserve::size_on_disk() const
{
    std::uint64_t size = 0;
    return location_.env->FileExists(file_) && location_.env->GetFileSize(file_, &size).ok() ? size
                                                                                             : 0;
}

void Reserve::make() noexcept
{
    const MutexLock lock(mutex_);
    const std::uint64_t now = *bytes_;
    if (location_.disk == nullptr || (now == wanted_ && !given_up_)) {
        return;
    }
    try {
        if (wanted_ == 0) {
            remove();
        } else if (wanted_ < now) {
            allocate(wanted_);
        } else {
            const std::uint64_t room = now + location_.disk->free_bytes(location_.path).value_or(0);
            const std::uint64_t size = std::min(wanted_, room / (given_up_ ? 2 : 4));
            if (size >= (given_up_ ? wanted_ : std::max(least_, now))) {
                allocate(size);
            }
        }
    } catch (const std::exception&) {  // out of memory: no reserve
    }
}

void Reserve::allocate(std::uint64_t size)
{
    if (location_.disk->reserve(file_, size).ok()) {
        *bytes_ = size;
        given_up_ = false;
    } else {
        remove();
    }
}

void Reserve::remove()
{
    location_.env->RemoveFile(file_);
    *bytes_ = 0;
    given_up_ = false;
}

std::uint64_t Reserve::give_up() noexcept
{
    const MutexLock lock(mutex_);
    try {
        if (*bytes_ == 0 || !location_.disk->reserve(file_, 0).ok()) {
            return 0;
        }
        given_up_ = true;
        return bytes_->exchange(0);
    } catch (const std::exception&) {
        return 0;
    }
}

void Reserve::give_up_if_scarce() noexcept
{
    const std::uint64_t size = *bytes_;
    try {
        if (size > 0 && location_.disk != nullptr &&
            location_.disk->free_bytes(location_.path).value_or(size) < size) {
            give_up();
        }
    } catch (const std::exception&) {  // out of memory: it stays
    }
}

void Reserve::take_back(std::uint64_t size) noexcept
{
    const MutexLock lock(mutex_);
    try {
        allocate(size);
    } catch (const std::exception&) {
        // The reserve stays given up until there is space again.
    }
}

}  // namespace keywatch::storage
