// SPDX-License-Identifier: BSL-1.0
#include <keywatch/watch_end.hpp>

#include <ostream>

namespace [[gnu::visibility("default")]] keywatch {

std::string_view to_string(EndReason reason) noexcept
{
    switch (reason) {
    case EndReason::stopped:
        return "stopped";
    case EndReason::cancelled:
        return "cancelled";
    case EndReason::database_closed:
        return "database_closed";
    case EndReason::bucket_deleted:
        return "bucket_deleted";
    case EndReason::drained:
        return "drained";
    }
    return "unknown";
}

std::ostream& operator<<(std::ostream& out, EndReason reason)
{
    return out << to_string(reason);
}

}  // namespace keywatch
