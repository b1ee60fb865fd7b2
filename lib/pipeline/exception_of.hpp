// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/error.hpp>

#include <exception>

namespace keywatch::pipeline {

/// As it is thrown to users. Without memory for that, of std::bad_alloc.
inline std::exception_ptr exception_of(Error error) noexcept
{
    try {
        return std::make_exception_ptr(boost::system::system_error(make_error_code(error)));
    } catch (...) {
        return std::current_exception();
    }
}

}  // namespace keywatch::pipeline
