// SPDX-License-Identifier: BSL-1.0
#include "expiry.hpp"

#include "collection.hpp"

#include "structures/btree/btree.hpp"

namespace keywatch::structures {

bool expire(Workspace& workspace, Structure structure, BucketIndex bucket, std::string_view key,
            Time deadline)
{
    return structure == Structure::btree ? btree::expire(workspace, bucket, key, deadline)
                                         : collection::expire(workspace, bucket, key, deadline);
}

}  // namespace keywatch::structures
