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

/// A change as a transaction of the workload makes it and a watcher should see it.
struct Change {
    Operation operation;
    std::string bucket;
    std::string key;
    std::string value;
    /// Of an erase: what was there.
    std::optional<std::string> previous;

    friend bool operator==(const Change&, const Change&) = default;
};

Change change_of(const Message& message);

/// Where `Contents` has the positions of cursors.
inline constexpr const char* place_of_cursors = "(cursors)";

/// All that a database holds: buckets by name, and what is in them.
using Contents = std::map<std::string, std::map<std::string, std::string>>;

/// Transactions whose changes follow from nothing but a seed and their revision, so that whoever
/// knows how many commits a database has knows every byte that is in it, and in its history.
///
/// The first one makes the bucket "data". The others put and erase there, one to a few keys, each
/// value naming its revision; from time to time one makes, or drops, a bucket "scratch", and saves,
/// or deletes, a cursor.
class Workload {
public:
    /// `padding`: values are up to so many bytes longer than they have to be.
    Workload(std::uint64_t seed, std::size_t padding) : seed_(seed), padding_(padding) {}

    /// Does what the next commit of this database has to do.
    void run(Transaction& transaction) const;

    std::uint64_t seed() const noexcept { return seed_; }

private:
    friend class Model;
    template <class Target>
    void make(Revision revision, Target& target) const;

    std::uint64_t seed_;
    std::size_t padding_;
};

/// What a database has to hold after the first commits of a workload.
class Model {
public:
    explicit Model(const Workload& workload) : workload_(workload) {}

    /// Makes one more commit, and gives its changes in order.
    std::vector<Change> next();
    Revision revision() const noexcept { return revision_; }
    const Contents& contents() const noexcept { return contents_; }

private:
    class Target;
    Workload workload_;
    Revision revision_ = 0;
    Contents contents_;
};

/// Of those changes, the ones that a watcher of the whole bucket is given.
std::vector<Change> in_bucket(const std::string& bucket, const std::vector<Change>& changes);

/// A commit as a watcher of the bucket "data" saw it.
struct SeenCommit {
    Revision revision;
    std::vector<Change> changes;

    friend bool operator==(const SeenCommit&, const SeenCommit&) = default;
};

/// What is wrong with commits that are to be all those of (after, up_to] that changed "data", in
/// order and once; empty if nothing is.
std::string wrong_with(const std::vector<SeenCommit>& seen, const Workload& workload,
                       Revision after, Revision up_to);

}  // namespace keywatch::test
