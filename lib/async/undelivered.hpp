// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace keywatch::async {

/// What has to be posted and could not be, for want of memory. The threads of the databases
/// (WorkerThread) try again once in a millisecond until there is memory.
///
/// Thread safety: all members, from any thread.
class Undelivered {
public:
    /// One such thing. It is in the list at most once, and lives until `deliver` has returned true.
    class Entry {
    public:
        /// Tries again. Returns false if there is still no memory. May destroy this if it returns
        /// true.
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

    /// A thread that tries again.
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

    /// Delivers it at once if there is memory by now.
    static void add(Entry& entry) noexcept;
    static bool empty() noexcept;
    /// Tries all that there are.
    static void retry() noexcept;

    static void enter(Helper& helper) noexcept;
    /// The last one to leave delivers what there is.
    static void leave(Helper& helper) noexcept;
};

}  // namespace keywatch::async
