// SPDX-License-Identifier: BSL-1.0
#include <keywatch/database.hpp>
#include <keywatch/watcher_info.hpp>

#include "database_state.hpp"

#include "pipeline/pipeline.hpp"

#include <ostream>

namespace [[gnu::visibility("default")]] keywatch {

std::string_view to_string(WatcherState state) noexcept
{
    switch (state) {
    case WatcherState::created:
        return "created";
    case WatcherState::catching_up:
        return "catching_up";
    case WatcherState::live:
        return "live";
    case WatcherState::ended:
        return "ended";
    }
    return "unknown";
}

std::ostream& operator<<(std::ostream& out, WatcherState state)
{
    return out << to_string(state);
}

std::vector<WatcherInfo> Database::watchers() const
{
    std::vector<WatcherInfo> infos;
    for (const auto& each : state_of(state_).pipeline->registry().all()) {
        infos.push_back(each->info());
    }
    return infos;
}

std::vector<WatcherInfo> Database::explain(std::string_view bucket, std::string_view key) const
{
    std::vector<WatcherInfo> infos;
    for (const auto& each : state_of(state_).pipeline->registry().all()) {
        if (each->would_reach(bucket, key)) {
            infos.push_back(each->info());
        }
    }
    return infos;
}

}  // namespace keywatch
