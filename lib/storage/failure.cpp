// SPDX-License-Identifier: BSL-1.0
#include "failure.hpp"

#include "values/failure.hpp"

#include <cerrno>
#include <cstring>
#include <string_view>

namespace keywatch::storage {

namespace {

bool names(std::string_view text, int error_number)
{
    return text.find(std::strerror(error_number)) != std::string_view::npos;
}

std::string remedy_for(std::string_view text)
{
    return names(text, ENOSPC) || names(text, EDQUOT)
               ? ": free some disk space, or open it with Options::read_only"
               : "";
}

}  // namespace

void fail_read(const leveldb::Status& status)
{
    fail(status.IsIOError() ? Error::storage_failed : Error::damaged, status.ToString());
}

void check_read(const leveldb::Status& status)
{
    if (!status.ok()) {
        fail_read(status);
    }
}

void ReadCheck::check(const leveldb::Status& status) const
{
    if (FailedReads::count() != failed_before_) {
        fail_read(FailedReads::last());
    }
    check_read(status);
}

/// A status carries no error number, only the system's text for it.
void fail_open(const leveldb::Status& status)
{
    const std::string text = status.ToString();
    for (const int number : {EACCES, EPERM, EROFS}) {
        if (text.ends_with(std::strerror(number))) {
            fail(Error::read_only, text);
        }
    }
    fail(Error::open_failed, text + remedy_for(text));
}

void fail_open(const std::string& what, int error_number)
{
    fail_open(leveldb::Status::IOError(what, std::strerror(error_number)));
}

bool is_disk_full(const boost::system::system_error& error)
{
    return names(error.what(), ENOSPC) || names(error.what(), EDQUOT);
}

void check_open(const leveldb::Status& status)
{
    if (!status.ok()) {
        fail_open(status);
    }
}

}  // namespace keywatch::storage
