// SPDX-License-Identifier: BSL-1.0
#include "small_strand.hpp"

namespace keywatch::async {

SmallStrand SmallStrand::on(const asio::any_io_executor& inner)
{
    return {std::make_shared<const Strands>(Strand(StrandExecutor::on(inner))), false};
}

}  // namespace keywatch::async
