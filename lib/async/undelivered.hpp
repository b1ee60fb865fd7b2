// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace keywatch::async {

/// The posts that failed for lack of memory. The threads of the databases (WorkerThread) retry them
/// every millisecond until there is memory.
///
/// Thread safety: all members may be called from any thread.
class Undelivered {
public:
    /// A post that failed. It is in the list at most once, and lives until `deliver` has returned
    /// true.
    class Entry {
    public:
        /// Retries the post. Returns false if there is still no memory. If it returns true, it may
        /// have destroyed this entry.
        virtual bool deliver() noexcept = 0;

    protected:
        Entry() = default;
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;
        ~Entry() = default;

    private:
        friend class Undelivered;
        Entry* next_ = nullptr;
    };

    /// A thread that retries the posts.
    class Helper {
    public:
        virtual void wake() noexcept = 0;

    protected:
        Helper() = default;
        Helper(const Helper&) = delete;
        Helper& operator=(const Helper&) = delete;
        ~Helper() = default;

    private:
        friend class Undelivered;
        Helper* previous_ = nullptr;
        Helper* next_ = nullptr;
    };

    /// Adds an entry and wakes the helpers, which retry it.
    static void add(Entry& entry) noexcept;
    static bool empty() noexcept;
    /// Retries all entries.
    static void retry() noexcept;

    static void enter(Helper& helper) noexcept;
    /// Removes a helper. The last one first retries until all entries are delivered.
    static void leave(Helper& helper) noexcept;
};

}  // namespace keywatch::async
