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

/// What a power cut leaves of what was not synced.
struct Survival {
    enum class Unsynced { lost, kept, random };
    /// Of the bytes of a file: what was synced stays; of what was appended since, nothing, all, or,
    /// for each file by itself, a random beginning, or some of its pages: each one as it was
    /// written, or cut off, zero or garbage.
    Unsynced bytes = Unsynced::lost;
    /// Of the names of a directory (files made, renamed, removed): the changes since it was synced
    /// are all undone, all kept, or each kept or not by itself.
    Unsynced names = Unsynced::lost;
    std::uint64_t seed = 0;

    static Survival nothing() { return {}; }
    static Survival everything() { return {Unsynced::kept, Unsynced::kept, 0}; }
    static Survival random(std::uint64_t seed)
    {
        return {Unsynced::random, Unsynced::random, seed};
    }
};

/// A file system in memory that knows what of it is on disk, and can lose the rest: give it to
/// Store::open (or whatever passes an Env there), cut the power, close, and open again on what
/// `survivors()` gives. It can also fail single operations.
///
/// Strict, as POSIX is: a synced file whose directory was not synced may be gone. As LevelDB's own
/// Env does, a sync of a MANIFEST syncs the directory as well.
///
/// Thread safety: all members may be called from any thread.
class PowerLossEnv final : public leveldb::EnvWrapper, public storage::Disk {
public:
    PowerLossEnv();
    ~PowerLossEnv() override;

    // Power.
    /// From now on everything fails.
    void cut_power();
    /// Lets so many more operations succeed that change something (those that `operations` counts).
    void cut_power_after(std::uint64_t operations);
    bool power_is_cut() const;
    /// Appends, syncs, and changes of names, so far.
    std::uint64_t operations() const;
    /// The file system as it is found when the power comes back (or would, if it were cut now).
    std::unique_ptr<PowerLossEnv> survivors(const Survival& survival) const;

    // Faults. `suffix` is the end of the file names concerned; for syncs of directories use "/".
    enum class Torn { nothing, half };
    /// Lets the nth such append from now (from 1) fail, after nothing or half of it was written.
    void fail_append(std::uint64_t nth, Torn written, const std::string& suffix = "");
    void fail_sync(std::uint64_t nth, const std::string& suffix = "");
    /// Bytes that can still be appended or reserved; then the disk is full. Removed files give
    /// theirs back.
    void limit_space(std::uint64_t bytes);
    /// Background work of LevelDB (writing tables, compaction) waits from now on; or goes on. That
    /// of a store waits when it is about to make a file.
    void hold_background();
    void release_background();

    /// Every file and what is in it.
    std::map<std::string, std::string> contents() const;
    /// Replaces a file's bytes, durably: damage.
    void overwrite(const std::string& name, std::string bytes);

    // Disk.
    leveldb::Status sync_directory(const std::string& directory) override;
    leveldb::Status sync_file(const std::string& name) override;
    leveldb::Status reserve(const std::string& name, std::uint64_t bytes) override;
    /// Nothing unless space is limited, so that only then something is reserved.
    std::optional<std::uint64_t> free_bytes(const std::string& directory) override;

    // Env.
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
        std::uint64_t reserved = 0;  ///< more space that it takes
    };
    using Files = std::map<std::string, std::shared_ptr<Inode>>;

    /// Files and directories by name. A directory has no inode.
    struct Names {
        Files files;
        std::set<std::string> directories;
    };

    /// A change of a name that its directory's sync has yet to make durable.
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
