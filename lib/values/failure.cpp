// SPDX-License-Identifier: BSL-1.0
#include "failure.hpp"

#include <boost/system/system_error.hpp>

namespace keywatch {

void fail(Error error)
{
    throw boost::system::system_error(make_error_code(error));
}

void fail(Error error, const std::string& what)
{
    throw boost::system::system_error(make_error_code(error), what);
}

void require_option(bool valid, const char* what)
{
    if (!valid) {
        fail(Error::invalid_option, what);
    }
}

std::exception_ptr exception_of(Error error) noexcept
{
    try {
        return std::make_exception_ptr(boost::system::system_error(make_error_code(error)));
    } catch (...) {
        return std::current_exception();
    }
}

}  // namespace keywatch
