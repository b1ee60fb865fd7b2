// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/process/workload.hpp"

#include <keywatch/database.hpp>

#include <string>
#include <vector>

namespace keywatch::test {

/// Everything that can be read from a database without concurrent writes: its contents in one view,
/// and its history by a watcher of "data".
struct WholeDatabase {
    Revision head = 0;
    Revision oldest = 0;
    Contents contents;
    std::vector<SeenCommit> history;
};

asio::awaitable<Contents> read_contents(Database database);
asio::awaitable<WholeDatabase> read_whole(Database database);

/// Returns how the contents and history differ from exactly the first `head` commits of the
/// workload; empty if they do not.
std::string wrong_with(const WholeDatabase& found, const Workload& workload);

/// Same for the contents alone.
std::string wrong_with(const Contents& contents, const Workload& workload, Revision head);

}  // namespace keywatch::test
