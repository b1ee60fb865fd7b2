// SPDX-License-Identifier: BSL-1.0
#include <keywatch/bulk_writer.hpp>

#include "database_state.hpp"

#include "bulk/bulk_writer_impl.hpp"

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

BulkWriter Database::bulk_writer(BulkWriterOptions options) const
{
    engine::Engine& engine = *writable_state_of(state_).engine;
    require(options.transaction_bytes > 0, Error::invalid_option, "transaction_bytes");
    require(options.in_flight > 0, Error::invalid_option, "in_flight");
    require(options.origin.size() <= 65535, Error::invalid_name, "origin");
    return BulkWriter(std::make_shared<BulkWriterImpl>(engine, state_, std::move(options)));
}

BulkWriter::BulkWriter(std::shared_ptr<BulkWriterImpl> impl) : impl_(std::move(impl)) {}

BulkWriter::BulkWriter(BulkWriter&& other) noexcept = default;

BulkWriter& BulkWriter::operator=(BulkWriter&& other) noexcept
{
    BulkWriter old(std::move(other));
    std::swap(impl_, old.impl_);
    return *this;
}

BulkWriter::~BulkWriter()
{
    if (impl_) {
        impl_->drop();
    }
}

BulkWriterImpl& BulkWriter::impl() const
{
    require(impl_ != nullptr, Error::bulk_writer_in_use, "moved from");
    return *impl_;
}

asio::awaitable<void> BulkWriter::put(std::string_view bucket, std::string_view key,
                                      std::string_view value)
{
    return impl().put(bucket, key, value, std::nullopt);
}

asio::awaitable<void> BulkWriter::put(std::string_view bucket, std::string_view key,
                                      std::string_view value, std::chrono::milliseconds ttl)
{
    return impl().put(bucket, key, value, ttl);
}

asio::awaitable<void> BulkWriter::erase(std::string_view bucket, std::string_view key)
{
    return impl().erase(bucket, key);
}

asio::awaitable<Revision> BulkWriter::flush()
{
    return impl().flush();
}

void BulkWriter::cancel()
{
    impl().cancel();
}

std::uint64_t BulkWriter::committed() const
{
    return impl().committed();
}

}  // namespace keywatch
