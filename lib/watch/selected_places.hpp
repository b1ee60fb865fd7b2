// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace keywatch::watch {

/// The places of the selected messages of one commit, added in ascending order. As long as they are
/// the first messages of the commit without a gap, only their number is stored, not a list.
class SelectedPlaces {
public:
    bool empty() const noexcept { return count_ == 0; }
    std::size_t size() const noexcept { return count_; }

    /// Returns true if this was the last place added.
    bool ends_with(std::uint32_t place) const noexcept
    {
        return count_ != 0 && (list_.empty() ? count_ - 1 : list_.back()) == place;
    }

    /// Adds a place. Returns by how many bytes the list has grown. Precondition: every place before
    /// is smaller.
    std::size_t add(std::uint32_t place)
    {
        if (list_.empty() && place == count_) {
            ++count_;
            return 0;
        }
        return add_to_list(place);
    }

    /// Returns the memory that the list takes.
    std::size_t bytes() const noexcept { return list_.capacity() * sizeof(std::uint32_t); }

    /// Returns the list and releases all memory. The list is empty if all messages of the commit
    /// are selected. `messages`: the number of messages in the commit.
    std::vector<std::uint32_t> take(std::size_t messages);

    void clear() noexcept
    {
        list_ = std::vector<std::uint32_t>();
        count_ = 0;
    }

private:
    std::size_t add_to_list(std::uint32_t place);
    void make_list();

    std::vector<std::uint32_t> list_;
    std::size_t count_ = 0;
};

}  // namespace keywatch::watch
