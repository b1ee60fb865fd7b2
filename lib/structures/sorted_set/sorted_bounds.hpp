// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

namespace keywatch::structures::sorted_set {

/// The bounds of the places of a sorted set, stored in its header.
///
/// LevelDB steps over every erased key where it seeks. In a queue that is emptied from one end,
/// that would be all keys that it ever contained. So the ends are sought from these bounds.
///
/// Invariant: the first `bytes` bytes of every place are neither less than `low` nor greater than
/// `high`. So no place is less than `low`, and all are less than the first string after those that
/// begin with `high`. The bounds need not be tight.
class Bounds {
public:
    static constexpr std::size_t bytes = 32;

    Bounds() = default;
    /// Parses stored bounds. Throws `Error::damaged`.
    explicit Bounds(std::string_view content);
    std::string content() const;

    /// Returns a place that is not greater than any.
    const std::string& low() const noexcept { return low_; }
    /// Returns a place that is greater than all.
    std::string end() const;

    /// Extends the bounds so that they include this place.
    void include(std::string_view place);
    /// Raises the lower (lowers the upper) bound. Precondition: no place is less (greater) than
    /// `place`.
    void raise_low(std::string_view place) { low_ = place.substr(0, bytes); }
    void lower_high(std::string_view place) { high_ = place.substr(0, bytes); }

private:
    std::string low_;
    std::string high_;
};

}  // namespace keywatch::structures::sorted_set
