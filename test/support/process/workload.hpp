// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>
#include <keywatch/transaction.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace keywatch::test {

/// A change that a transaction of the workload makes and a watcher should see.
struct Change {
    Operation operation;
    std::string bucket;
    std::string key;
    std::string value;
    /// For an erase: the previous value.
    std::optional<std::string> previous;

    friend bool operator==(const Change&, const Change&) = default;
};

Change change_of(const Message& message);

/// The key of the positions of cursors in `Contents`.
inline constexpr const char* place_of_cursors = "(cursors)";

/// The contents of a database: buckets by name, and what they contain.
using Contents = std::map<std::string, std::map<std::string, std::string>>;

/// Transactions whose changes depend only on a seed and their revision. The number of commits of a
/// database therefore determines every byte in it and in its history.
///
/// The first transaction creates the bucket "data". The others put and erase there, one to a few
/// keys, and each value contains its revision. From time to time a transaction creates or drops a
/// bucket "scratch", and saves or deletes a cursor.
class Workload {
public:
    /// `padding`: values are up to this many bytes longer than necessary.
    Workload(std::uint64_t seed, std::size_t padding) : seed_(seed), padding_(padding) {}

    /// Makes the changes of the next commit of this database.
    void run(Transaction& transaction) const;

    std::uint64_t seed() const noexcept { return seed_; }

private:
    friend class Model;
    template <class Target>
    void make(Revision revision, Target& target) const;

    std::uint64_t seed_;
    std::size_t padding_;
};

/// The expected contents of a database after the first commits of a workload.
class Model {
public:
    explicit Model(const Workload& workload) : workload_(workload) {}

    /// Makes one more commit, and returns its changes in order.
    std::vector<Change> next();
    Revision revision() const noexcept { return revision_; }
    const Contents& contents() const noexcept { return contents_; }

private:
    class Target;
    Workload workload_;
    Revision revision_ = 0;
    Contents contents_;
};

/// Returns those changes that a watcher of the whole bucket receives.
std::vector<Change> in_bucket(const std::string& bucket, const std::vector<Change>& changes);

/// A commit as seen by a watcher of the bucket "data".
struct SeenCommit {
    Revision revision;
    std::vector<Change> changes;

    friend bool operator==(const SeenCommit&, const SeenCommit&) = default;
};

/// Returns how the commits differ from all those of (after, up_to] that changed "data", in order
/// and once; empty if they do not.
std::string wrong_with(const std::vector<SeenCommit>& seen, const Workload& workload,
                       Revision after, Revision up_to);

}  // namespace keywatch::test
