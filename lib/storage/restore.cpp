// SPDX-License-Identifier: BSL-1.0
#include "restore.hpp"

#include "backup_directory.hpp"
#include "backup_stream.hpp"
#include "disk_env.hpp"
#include "failure.hpp"
#include "store.hpp"

namespace keywatch::storage {

namespace {

/// What opening finds must be what the backup says it is of.
void check_restored(const std::string& directory, const BackupIdentity& identity,
                    leveldb::Env* base)
{
    Options options(directory);
    options.create_if_missing = false;
    const auto store = Store::open(options, base);
    if (BackupIdentity{store->history_id(), store->head_at_open()} != identity) {
        fail(Error::damaged, "the backup does not hold the revision that it says");
    }
}

}  // namespace

Directory::Place backup_place(const std::string& directory, leveldb::Env* base)
{
    Disk* const disk = base != nullptr ? dynamic_cast<Disk*>(base) : &real_disk();
    return {directory, base != nullptr ? base : &disk_env(), disk, base == nullptr};
}

BackupIdentity restore(std::istream& in, const std::string& directory, leveldb::Env* base)
{
    BackupDirectory target(backup_place(directory, base));
    const BackupIdentity identity = BackupReader(in).copy_to(target);
    check_restored(directory, identity, base);
    target.keep();
    return identity;
}

}  // namespace keywatch::storage
