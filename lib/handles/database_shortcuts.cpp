// SPDX-License-Identifier: BSL-1.0
#include <keywatch/database.hpp>

#include <utility>

// None of these is a coroutine: their arguments are copied when they are called, not when the
// result is awaited.
namespace [[gnu::visibility("default")]] keywatch {

asio::awaitable<std::optional<std::string>> Database::get(std::string_view bucket,
                                                          std::string_view key) const
{
    auto read = [bucket = std::string(bucket), key = std::string(key)](const Snapshot& snapshot) {
        return snapshot.btree(bucket).get(key);
    };
    return detail::view_value<decltype(read), std::optional<std::string>>(state_, std::move(read));
}

asio::awaitable<Revision> Database::put(std::string_view bucket, std::string_view key,
                                        std::string_view value)
{
    auto write = [bucket = std::string(bucket), key = std::string(key), value = std::string(value)](
                     Transaction& tx) { tx.btree(bucket).put(key, value); };
    return detail::update(state_, std::move(write));
}

asio::awaitable<Revision> Database::put(std::string_view bucket, std::string_view key,
                                        std::string_view value, std::chrono::milliseconds ttl)
{
    auto write = [bucket = std::string(bucket), key = std::string(key), value = std::string(value),
                  ttl](Transaction& tx) { tx.btree(bucket).put(key, value, ttl); };
    return detail::update(state_, std::move(write));
}

asio::awaitable<Committed<bool>> Database::erase(std::string_view bucket, std::string_view key)
{
    auto write = [bucket = std::string(bucket), key = std::string(key)](Transaction& tx) {
        return tx.btree(bucket).erase(key);
    };
    return detail::update_value<decltype(write), bool>(state_, std::move(write));
}

asio::awaitable<Committed<std::int64_t>> Database::increment(std::string_view bucket,
                                                             std::string_view key, std::int64_t by)
{
    auto write = [bucket = std::string(bucket), key = std::string(key), by](Transaction& tx) {
        return tx.btree(bucket).increment(key, by);
    };
    return detail::update_value<decltype(write), std::int64_t>(state_, std::move(write));
}

}  // namespace keywatch
