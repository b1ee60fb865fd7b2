// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "audit_file.hpp"
#include "display.hpp"

#include <keywatch/keywatch.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

namespace system_monitor {

namespace asio = boost::asio;
namespace kw = keywatch;

/// A consumer that must not miss a commit or see one twice, however the program ends: it stores its
/// position together with its result, in the same write.
class Audit {
public:
    Audit(kw::Database db, const std::filesystem::path& path, Display& display);

    /// Follows the figures until the database is closed.
    asio::awaitable<void> run();

    const AuditFile& file() const { return file_; }

    /// Returns the number of commits written.
    std::uint64_t lines() const { return lines_; }

private:
    kw::From start() const;
    asio::awaitable<void> follow();
    void on_commit(const kw::Commit& commit);
    void start_anew(const std::string& reason);

    kw::Database db_;
    kw::HistoryId history_;
    AuditFile file_;
    Display* display_;
    std::uint64_t lines_ = 0;
};

}  // namespace system_monitor
