// SPDX-License-Identifier: BSL-1.0
#include <keywatch/write_batch.hpp>

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

WriteBatch Database::write_batch(WriteBatchOptions options) const
{
    engine::Engine& engine = *writable_state_of(state_).engine;
    require(options.batch_bytes > 0, Error::invalid_option, "batch_bytes");
    require(options.in_flight > 0, Error::invalid_option, "in_flight");
    require(options.origin.size() <= 65535, Error::invalid_name, "origin");
    return WriteBatch(std::make_shared<BulkWriterImpl>(engine, state_, std::move(options)));
}

WriteBatch::WriteBatch(std::shared_ptr<BulkWriterImpl> impl) : impl_(std::move(impl)) {}

WriteBatch::WriteBatch(WriteBatch&& other) noexcept = default;

WriteBatch& WriteBatch::operator=(WriteBatch&& other) noexcept
{
    WriteBatch old(std::move(other));
    std::swap(impl_, old.impl_);
    return *this;
}

WriteBatch::~WriteBatch()
{
    if (impl_) {
        impl_->drop();
    }
}

BulkWriterImpl& WriteBatch::impl() const
{
    require(impl_ != nullptr, Error::batch_in_use, "moved from");
    return *impl_;
}

asio::awaitable<void> WriteBatch::put(std::string_view bucket, std::string_view key,
                                      std::string_view value)
{
    return impl().put(bucket, key, value, std::nullopt);
}

asio::awaitable<void> WriteBatch::put(std::string_view bucket, std::string_view key,
                                      std::string_view value, std::chrono::milliseconds ttl)
{
    return impl().put(bucket, key, value, ttl);
}

asio::awaitable<void> WriteBatch::erase(std::string_view bucket, std::string_view key)
{
    return impl().erase(bucket, key);
}

asio::awaitable<Revision> WriteBatch::flush()
{
    return impl().flush();
}

void WriteBatch::cancel()
{
    impl().cancel();
}

std::uint64_t WriteBatch::committed() const
{
    return impl().committed();
}

}  // namespace keywatch
