// SPDX-License-Identifier: BSL-1.0
#include "message_filter.hpp"

namespace keywatch::watch {

MessageFilter::MessageFilter(const Filter& filter)
    : structures_(mask(filter.structures)),
      operations_(mask(filter.operations)),
      causes_(mask(filter.causes))
{
    if (filter.origin || filter.except_origin) {
        origins_ = std::make_unique<Origins>(Origins{filter.origin, filter.except_origin});
    }
}

}  // namespace keywatch::watch
