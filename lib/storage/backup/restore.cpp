// SPDX-License-Identifier: BSL-1.0
#include "restore.hpp"

#include "backup_directory.hpp"
#include "backup_stream.hpp"

#include "storage/failure.hpp"
#include "storage/store.hpp"
#include "storage/table/table_walk.hpp"
#include "values/failure.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace keywatch::storage {

namespace {

/// Reads all tables. Checksums do not help here: a stream made by hand can have correct ones.
void check_tables(const Location& location)
{
    std::vector<std::string> names;
    check_read(location.env->GetChildren(location.path, &names));
    for (const std::string& name : names) {
        if (is_table_file(name)) {
            const std::string path = location.path + "/" + name;
            std::uint64_t size = 0;
            check_read(location.env->GetFileSize(path, &size));
            walk_table(*location.env, path, size);
        }
    }
}

/// Opens the database and checks that it is what the backup claims to be.
void check_restored(const std::string& directory, const BackupIdentity& identity,
                    leveldb::Env* base)
{
    Options options(directory);
    options.create_if_missing = false;
    options.reserve_bytes = 0;
    const auto store = Store::open(options, base);
    if (BackupIdentity{store->history_id(), store->head_at_open()} != identity) {
        fail(Error::damaged, "the backup does not contain the revision that it states");
    }
}

}  // namespace

Location backup_location(const std::string& directory, leveldb::Env* base)
{
    return find_location(directory, base, Error::backup_failed);
}

BackupIdentity restore(std::istream& in, const std::string& directory, leveldb::Env* base)
{
    const Location location = backup_location(directory, base);
    BackupDirectory target(location);
    const BackupIdentity identity = BackupReader(in).copy_to(target);
    check_tables(location);
    check_restored(location.path, identity, base);
    target.keep();
    return identity;
}

}  // namespace keywatch::storage
