// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

namespace keywatch::structures::sorted_set {

/// Between which places the members of a sorted set lie; kept in its header.
///
/// LevelDB steps over every erased key that lies where it seeks. Of a queue that is emptied from
/// one end that would be all that ever was in it. So the ends are sought from here.
///
/// Invariant: of every place, its first `bytes` bytes are neither less than `low` nor greater than
/// `high`; so none is less than `low`, and all are less than what follows all that begin with
/// `high`. They need not be near.
class Bounds {
public:
    static constexpr std::size_t bytes = 32;

    Bounds() = default;
    /// As stored; throws `Error::damaged`.
    explicit Bounds(std::string_view content);
    std::string content() const;

    /// A place that is not greater than any.
    const std::string& low() const noexcept { return low_; }
    /// A place that is greater than all.
    std::string end() const;

    /// There is this place too.
    void include(std::string_view place);
    /// None is less (greater) than this one.
    void raise_low(std::string_view place) { low_ = place.substr(0, bytes); }
    void lower_high(std::string_view place) { high_ = place.substr(0, bytes); }

private:
    std::string low_;
    std::string high_;
};

}  // namespace keywatch::structures::sorted_set
