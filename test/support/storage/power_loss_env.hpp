// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "storage/files/disk.hpp"

#include <leveldb/env.h>

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace keywatch::test {

/// The unsynced data that survives a power cut.
struct Survival {
    enum class Unsynced { lost, kept, random };
    /// The bytes of a file. Synced bytes survive. Of the bytes appended since, none survive, all,
    /// or a random selection: for each file a random beginning or some of its pages, each of which
    /// is as written, cut off, zero or garbage.
    Unsynced bytes = Unsynced::lost;
    /// The names of a directory (files created, renamed, removed). The changes since its last sync
    /// are all undone, all kept, or each kept or undone at random.
    Unsynced names = Unsynced::lost;
    std::uint64_t seed = 0;

    static Survival nothing() { return {}; }
    static Survival everything() { return {Unsynced::kept, Unsynced::kept, 0}; }
    static Survival random(std::uint64_t seed)
    {
        return {Unsynced::random, Unsynced::random, seed};
    }
};

/// A file system in memory that knows which part of it is on disk, and can lose the rest. Pass it
/// to Store::open (or to anything that passes an Env there), cut the power, close, and open again
/// on the result of `survivors()`. It can also make single operations fail.
///
/// It is as strict as POSIX: a synced file whose directory was not synced may be lost. A sync of a
/// MANIFEST also syncs the directory, as LevelDB's own Env does.
///
/// Thread safety: all members may be called from any thread.
class PowerLossEnv final : public leveldb::EnvWrapper, public storage::Disk {
public:
    PowerLossEnv();
    ~PowerLossEnv() override;

    /// Makes everything fail from now on.
    void cut_power();
    /// Lets this many more of the operations that `operations` counts succeed.
    void cut_power_after(std::uint64_t operations);
    bool power_is_cut() const;
    /// Returns the number of appends, syncs and changes of names so far.
    std::uint64_t operations() const;
    /// Returns the file system as found when the power comes back (if it is on: as if cut now).
    std::unique_ptr<PowerLossEnv> survivors(const Survival& survival) const;

    // Faults. `suffix` is the end of the file names concerned; "/" means syncs of directories.
    enum class Torn { nothing, half };
    /// Makes the nth such append from now (from 1) fail, after nothing or half of it was written.
    void fail_append(std::uint64_t nth, Torn written, const std::string& suffix = "");
    void fail_sync(std::uint64_t nth, const std::string& suffix = "");
    /// Limits the bytes that can still be appended or reserved; then the disk is full. Removed
    /// files release theirs.
    void limit_space(std::uint64_t bytes);
    /// Suspends (resumes) background work. LevelDB's (writing tables, compaction) waits before it
    /// begins, that of a store when it is about to create a file.
    void hold_background();
    void release_background();

    /// Returns every file and its contents.
    std::map<std::string, std::string> contents() const;
    /// Replaces a file's bytes durably, to damage it.
    void overwrite(const std::string& name, std::string bytes);

    // storage::Disk
    leveldb::Status sync_directory(const std::string& directory) override;
    leveldb::Status sync_file(const std::string& name) override;
    leveldb::Status reserve(const std::string& name, std::uint64_t bytes) override;
    /// Returns nothing unless space is limited, so that space is reserved only then.
    std::optional<std::uint64_t> free_bytes(const std::string& directory) override;

    // leveldb::Env
    leveldb::Status NewSequentialFile(const std::string& name,
                                      leveldb::SequentialFile** file) override;
    leveldb::Status NewRandomAccessFile(const std::string& name,
                                        leveldb::RandomAccessFile** file) override;
    leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** file) override;
    leveldb::Status NewAppendableFile(const std::string& name,
                                      leveldb::WritableFile** file) override;
    bool FileExists(const std::string& name) override;
    leveldb::Status GetChildren(const std::string& directory,
                                std::vector<std::string>* names) override;
    leveldb::Status RemoveFile(const std::string& name) override;
    leveldb::Status CreateDir(const std::string& name) override;
    leveldb::Status RemoveDir(const std::string& name) override;
    leveldb::Status GetFileSize(const std::string& name, std::uint64_t* size) override;
    leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
    leveldb::Status LockFile(const std::string& name, leveldb::FileLock** lock) override;
    leveldb::Status UnlockFile(leveldb::FileLock* lock) override;
    void Schedule(void (*function)(void*), void* argument) override;
    leveldb::Status NewLogger(const std::string& name, leveldb::Logger** logger) override;

private:
    struct Inode {
        std::string bytes;
        std::size_t synced = 0;
        std::uint64_t reserved = 0;  ///< additional space that the file takes
    };
    using Files = std::map<std::string, std::shared_ptr<Inode>>;

    /// Files and directories by name. A directory has no inode.
    struct Names {
        Files files;
        std::set<std::string> directories;
    };

    /// A change of a name that is not durable before its directory is synced.
    struct Change {
        enum class Kind {
            file_made,
            file_removed,
            file_renamed,
            directory_made,
            directory_removed
        };
        Kind kind;
        std::string name;
        std::string to;
        std::shared_ptr<Inode> inode;

        void apply(Names& names) const;
    };

    struct Fault {
        bool append;
        std::uint64_t nth;
        Torn written;
        std::string suffix;
    };

    struct Lock;
    class Appender;
    class Reader;

    static std::string parent_of(const std::string& name);
    leveldb::Status begin_operation();
    leveldb::Status fail_if_dark() const;
    const Fault* hit(bool append, const std::string& name);
    void change(Change change);
    void give_back(const std::string& name);
    leveldb::Status append(const std::string& name, Inode& inode, const leveldb::Slice& data);
    leveldb::Status sync(const std::string& name, Inode& inode);
    void make_directory_durable(const std::string& directory);
    static std::string remains(const Inode& inode, Survival::Unsynced bytes,
                               std::mt19937_64& random);
    void wait_while_held(std::unique_lock<std::mutex>& lock);

    mutable std::mutex mutex_;
    Names now_;
    Names durable_;
    std::vector<Change> pending_;
    std::vector<Fault> faults_;
    Fault hit_{};
    std::set<std::string> locked_;
    std::uint64_t operations_ = 0;
    std::uint64_t cut_at_ = UINT64_MAX;
    std::uint64_t space_ = UINT64_MAX;
    bool dark_ = false;
    bool holding_ = false;
    std::condition_variable released_;
    std::vector<std::pair<void (*)(void*), void*>> held_;
};

}  // namespace keywatch::test
