// SPDX-License-Identifier: BSL-1.0
#include <keywatch/backup.hpp>

#include "database_state.hpp"

#include "storage/backup/restore.hpp"
#include "storage/files/location.hpp"
#include "values/failure.hpp"

#include <keywatch/database.hpp>
#include <keywatch/error.hpp>

#include <utility>

namespace [[gnu::visibility("default")]] keywatch {

namespace {

[[noreturn]] void refuse(const char* why)
{
    fail(Error::invalid_option, why);
}

/// Rejects a directory name with which a database could not be opened.
void check_directory(const std::string& directory)
{
    if (directory.empty() || directory == "memory:") {
        refuse("the directory has no name");
    }
    if (directory.find('\0') != std::string::npos) {
        refuse("the name of the directory has a NUL byte");
    }
}

asio::awaitable<Revision> run_backup(std::shared_ptr<DatabaseState> state,
                                     engine::BackupPlace place)
{
    if (place.stream == nullptr) {
        check_directory(place.directory);
        place.directory = storage::absolute_path(place.directory, Error::backup_failed);
    }
    co_return co_await open_state_of(state).engine->backup(std::move(place));
}

}  // namespace

asio::awaitable<Revision> Database::backup(std::string directory) const
{
    return run_backup(state_, engine::BackupPlace(std::move(directory)));
}

asio::awaitable<Revision> Database::backup(std::ostream& out) const
{
    return run_backup(state_, engine::BackupPlace(out));
}

Revision restore_blocking(std::istream& in, const std::string& directory)
{
    check_directory(directory);
    return storage::restore(in, directory).revision;
}

}  // namespace keywatch
