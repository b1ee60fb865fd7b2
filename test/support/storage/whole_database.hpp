// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/process/workload.hpp"

#include <keywatch/database.hpp>

#include <string>
#include <vector>

namespace keywatch::test {

/// Everything that can be read from a database which nobody writes to: its contents in one view,
/// and its history by a watcher of "data".
struct WholeDatabase {
    Revision head = 0;
    Revision oldest = 0;
    Contents contents;
    std::vector<SeenCommit> history;
};

asio::awaitable<Contents> read_contents(Database database);
asio::awaitable<WholeDatabase> read_whole(Database database);

/// What is wrong with it if it is to be the first `head` commits of the workload, neither more nor
/// less, data and history; empty if nothing is.
std::string wrong_with(const WholeDatabase& found, const Workload& workload);

/// The same for contents alone.
std::string wrong_with(const Contents& contents, const Workload& workload, Revision head);

}  // namespace keywatch::test
