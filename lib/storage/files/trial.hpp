// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "location.hpp"

#include <set>
#include <string>

namespace keywatch::storage {

/// The state of a directory before an open that may still fail, kept to restore it.
///
/// As long as removals are held, LevelDB only adds files and points CURRENT to them. The two kinds
/// of files that it overwrites have second names until the end of the trial (aside_name): CURRENT
/// from the beginning, and files that no manifest names, whose numbers LevelDB reuses after a
/// crash, from the moment when Environment sets them aside.
class Trial {
public:
    explicit Trial(const Location& location) : location_(location) {}

    /// Begins the trial. `names`: all names in the directory.
    void begin(std::set<std::string> names);
    /// Restores the directory. Does nothing before begin(). LevelDB must be closed.
    void roll_back() const;
    /// Ends the trial after a successful open: removes second names, including those left by a
    /// crash.
    void end() const noexcept;

private:
    void keep_current();
    void restore_current() const;
    void remove_new_files() const;

    const Location& location_;
    std::set<std::string> before_;
    std::string current_;       ///< the contents of CURRENT
    std::string kept_current_;  ///< the path of its second name; empty if it has none
};

}  // namespace keywatch::storage
