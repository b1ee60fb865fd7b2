// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "workspace.hpp"

#include <keywatch/time.hpp>

#include <string_view>

namespace keywatch::structures {

/// Removes a user's key of whichever structure because its time is over, with the message that
/// tells of it. False if it is not there, has another deadline, or has not come to it.
bool expire(Workspace& workspace, Structure structure, BucketIndex bucket, std::string_view key,
            Time deadline);

}  // namespace keywatch::structures
