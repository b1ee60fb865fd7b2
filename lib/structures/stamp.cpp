// SPDX-License-Identifier: BSL-1.0
#include "stamp.hpp"

#include "bytes/numbers.hpp"
#include "bytes/time_range.hpp"
#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <algorithm>

namespace keywatch::structures {

namespace {

constexpr char no_deadline = 0;
constexpr char has_deadline = 1;
constexpr std::size_t deadline_bytes = 8;
constexpr std::chrono::milliseconds longest_ttl = std::chrono::hours{24} * 365'250;
static_assert(bytes::clock_range + longest_ttl <= bytes::storable_range);

[[noreturn]] void fail_damaged()
{
    fail(Error::damaged, "the end of a value");
}

}  // namespace

Stamped read_stamp(std::string_view stored)
{
    if (stored.empty() || stored.back() > has_deadline || stored.back() < no_deadline) {
        fail_damaged();
    }
    const bool dated = stored.back() == has_deadline;
    stored.remove_suffix(1);
    if (!dated) {
        return {stored, std::nullopt};
    }
    if (stored.size() < deadline_bytes) {
        fail_damaged();
    }
    const char* const at = stored.data() + stored.size() - deadline_bytes;
    const auto time = static_cast<std::int64_t>(bytes::load_fixed<std::uint64_t>(at));
    stored.remove_suffix(deadline_bytes);
    return {stored, Time{std::chrono::microseconds{time}}};
}

void append_stamp(std::string& content, std::optional<Time> deadline)
{
    if (deadline) {
        bytes::append_fixed(content,
                            static_cast<std::uint64_t>(deadline->time_since_epoch().count()));
    }
    content += deadline ? has_deadline : no_deadline;
}

void check_ttl(std::chrono::milliseconds ttl)
{
    if (ttl <= std::chrono::milliseconds::zero() || ttl > longest_ttl) {
        fail(Error::invalid_ttl);
    }
}

Time deadline_after(const Workspace& workspace, std::chrono::milliseconds ttl)
{
    check_ttl(ttl);
    return workspace.now() + ttl;
}

std::chrono::milliseconds time_left(const Workspace& workspace, Time deadline)
{
    const Time end = std::min(deadline, Time{bytes::storable_range});
    return std::chrono::ceil<std::chrono::milliseconds>(end - workspace.now());
}

}  // namespace keywatch::structures
