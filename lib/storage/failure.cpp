// SPDX-License-Identifier: BSL-1.0
#include "failure.hpp"

#include <cerrno>
#include <cstring>

namespace keywatch::storage {

void fail(Error error, const std::string& what)
{
    throw boost::system::system_error(make_error_code(error), what);
}

void check_read(const leveldb::Status& status)
{
    if (!status.ok()) {
        fail(Error::damaged, status.ToString());
    }
}

/// A status has no error number, only the system's text for it.
void fail_open(const leveldb::Status& status)
{
    const std::string text = status.ToString();
    for (const int number : {EACCES, EPERM, EROFS}) {
        if (text.ends_with(std::strerror(number))) {
            fail(Error::read_only, text);
        }
    }
    fail(Error::open_failed, text);
}

void fail_open(const std::string& what, int error_number)
{
    fail_open(leveldb::Status::IOError(what, std::strerror(error_number)));
}

void check_open(const leveldb::Status& status)
{
    if (!status.ok()) {
        fail_open(status);
    }
}

}  // namespace keywatch::storage
