// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "place.hpp"

#include <set>
#include <string>

namespace keywatch::storage {

/// What a directory was like before an open that may fail yet, so that it can be made so again.
///
/// LevelDB only adds files and points CURRENT to them, as long as removals are held back. The two
/// things that it writes over have second names until the end of the trial (aside_name): CURRENT
/// from the beginning on, and files that no manifest names, whose numbers are given again after a
/// crash, from the moment when Environment sets them aside.
class Trial {
public:
    explicit Trial(const Place& place) : place_(place) {}

    /// `names`: all that is in the directory.
    void begin(std::set<std::string> names);
    /// Makes the directory as it was. Does nothing before begin(). LevelDB must be closed.
    void roll_back() const;
    /// The open has succeeded: removes second names, also those that a crash has left.
    void end() const noexcept;

private:
    void keep_current();
    void restore_current() const;
    void remove_new_files() const;

    const Place& place_;
    std::set<std::string> before_;
    std::string current_;       ///< what CURRENT says
    std::string kept_current_;  ///< the path of its second name; empty if it has none
};

}  // namespace keywatch::storage
