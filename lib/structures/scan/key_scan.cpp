// SPDX-License-Identifier: BSL-1.0
#include "key_scan.hpp"

#include <utility>

namespace keywatch::structures {

KeyScan::KeyScan(KeySpace space, std::string_view kind, std::vector<KeyInterval> selected)
    : space_(std::move(space)), kind_(kind), intervals_(std::move(selected))
{
    if (!intervals_.empty()) {
        from_ = intervals_.front().first;
    }
}

bool KeyScan::valid()
{
    if (!iterator_ && interval_ < intervals_.size()) {
        iterator_ = space_();
        seek(from_);
        settle();
    }
    return interval_ < intervals_.size();
}

void KeyScan::next()
{
    if (valid()) {
        iterator_->next();
        settle();
    }
}

void KeyScan::release()
{
    if (iterator_ && interval_ < intervals_.size()) {
        from_ = key();
    }
    iterator_.reset();
}

void KeyScan::seek(std::string_view key)
{
    iterator_->seek(kind_ + std::string(key));
}

/// Moves to the first selected key from here on.
void KeyScan::settle()
{
    while (interval_ < intervals_.size()) {
        if (!iterator_->valid() || !iterator_->key().starts_with(kind_)) {
            interval_ = intervals_.size();
        } else if (const auto& end = intervals_[interval_].end; end && key() >= *end) {
            ++interval_;
            if (interval_ < intervals_.size() && key() < intervals_[interval_].first) {
                seek(intervals_[interval_].first);
            }
        } else {
            return;
        }
    }
}

}  // namespace keywatch::structures
