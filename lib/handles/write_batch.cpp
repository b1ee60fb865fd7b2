// SPDX-License-Identifier: BSL-1.0
#include <keywatch/write_batch.hpp>

#include "bulk/bulk_writer.hpp"

#include <keywatch/database.hpp>
#include <keywatch/error.hpp>

#include <optional>
#include <utility>

namespace [[gnu::visibility("default")]] keywatch {

namespace {

void require(bool valid, Error error, const char* what)
{
    if (!valid) {
        throw boost::system::system_error(make_error_code(error), what);
    }
}

}  // namespace

WriteBatch Database::write_batch(WriteBatchOptions options) const
{
    writable_state_of(state_);
    require(options.batch_bytes > 0, Error::invalid_option, "batch_bytes");
    require(options.in_flight > 0, Error::invalid_option, "in_flight");
    require(options.origin.size() <= 65535, Error::invalid_name, "origin");
    return WriteBatch(std::make_shared<BulkWriter>(state_, std::move(options)));
}

WriteBatch::WriteBatch(std::shared_ptr<BulkWriter> writer) : writer_(std::move(writer)) {}

WriteBatch::WriteBatch(WriteBatch&& other) noexcept = default;

WriteBatch& WriteBatch::operator=(WriteBatch&& other) noexcept
{
    WriteBatch old(std::move(other));
    std::swap(writer_, old.writer_);
    return *this;
}

WriteBatch::~WriteBatch()
{
    if (writer_) {
        writer_->drop();
    }
}

BulkWriter& WriteBatch::writer() const
{
    require(writer_ != nullptr, Error::batch_in_use, "moved from");
    return *writer_;
}

asio::awaitable<void> WriteBatch::put(std::string_view bucket, std::string_view key,
                                      std::string_view value)
{
    return writer().put(bucket, key, value, std::nullopt);
}

asio::awaitable<void> WriteBatch::put(std::string_view bucket, std::string_view key,
                                      std::string_view value, std::chrono::milliseconds ttl)
{
    return writer().put(bucket, key, value, ttl);
}

asio::awaitable<void> WriteBatch::erase(std::string_view bucket, std::string_view key)
{
    return writer().erase(bucket, key);
}

asio::awaitable<Revision> WriteBatch::flush()
{
    return writer().flush();
}

void WriteBatch::cancel()
{
    writer().cancel();
}

std::uint64_t WriteBatch::committed() const
{
    return writer().committed();
}

}  // namespace keywatch
