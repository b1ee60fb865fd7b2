// SPDX-License-Identifier: BSL-1.0
#include "pipeline_strand.hpp"

#include "async/context_service.hpp"
#include "async/small_strand.hpp"
#include "async/untracked_executor.hpp"

namespace keywatch::pipeline {

PipelineStrand::PipelineStrand(const asio::any_io_executor& executor)
    : life_(async::ContextService::life(executor)),
      database_executor_(executor),
      strand_(async::SmallStrand::on(executor)),
      stage_executor_(async::UntrackedExecutor::on(strand_))
{
}

void PipelineStrand::release() noexcept
{
    stage_executor_ = asio::any_io_executor();
    strand_ = asio::any_io_executor();
    database_executor_ = asio::any_io_executor();
}

}  // namespace keywatch::pipeline
