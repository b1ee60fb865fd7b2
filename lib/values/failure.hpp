// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/error.hpp>

#include <exception>
#include <string>

namespace keywatch {

/// Throws boost::system::system_error, as all that users get to see; `what` says more.
[[noreturn]] void fail(Error error);
[[noreturn]] void fail(Error error, const std::string& what);

/// Throws `invalid_option` for this option, unless it is valid.
void require_option(bool valid, const char* what);

/// Returns what fail() throws. Without memory for that, std::bad_alloc.
std::exception_ptr exception_of(Error error) noexcept;

}  // namespace keywatch
