// SPDX-License-Identifier: BSL-1.0
#include "selected_places.hpp"

#include <numeric>
#include <utility>

namespace keywatch::watch {

std::vector<std::uint32_t> SelectedPlaces::take(std::size_t messages)
{
    if (list_.empty() && count_ < messages) {
        make_list();
    }
    count_ = 0;
    return std::exchange(list_, {});
}

std::size_t SelectedPlaces::add_to_list(std::uint32_t place)
{
    const std::size_t before = bytes();
    if (list_.empty()) {
        make_list();
    }
    list_.push_back(place);
    ++count_;
    return bytes() - before;
}

void SelectedPlaces::make_list()
{
    list_.resize(count_);
    std::iota(list_.begin(), list_.end(), 0);
}

}  // namespace keywatch::watch
