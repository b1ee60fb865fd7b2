// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "workspace.hpp"

#include <keywatch/time.hpp>

#include <string_view>

namespace keywatch::structures {

/// Removes a user's key of any structure because it has expired, and records the message. Returns
/// false if the key is absent, has another deadline, or has not reached it.
bool expire(Workspace& workspace, Structure structure, BucketIndex bucket, std::string_view key,
            Time deadline);

}  // namespace keywatch::structures
