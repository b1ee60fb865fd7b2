// SPDX-License-Identifier: BSL-1.0
#include "key_rows.hpp"

#include <utility>

namespace keywatch::structures {

KeyRows::KeyRows(KeySpace space, std::string_view kind, std::vector<KeyStretch> wanted)
    : space_(std::move(space)), kind_(kind), wanted_(std::move(wanted))
{
    if (!wanted_.empty()) {
        from_ = wanted_.front().first;
    }
}

bool KeyRows::valid()
{
    if (!iterator_ && stretch_ < wanted_.size()) {
        iterator_ = space_();
        seek(from_);
        settle();
    }
    return stretch_ < wanted_.size();
}

void KeyRows::next()
{
    if (valid()) {
        iterator_->next();
        settle();
    }
}

void KeyRows::rest()
{
    if (iterator_ && stretch_ < wanted_.size()) {
        from_ = key();
    }
    iterator_.reset();
}

void KeyRows::seek(std::string_view key)
{
    iterator_->seek(kind_ + std::string(key));
}

/// Moves to the first selected key from here on.
void KeyRows::settle()
{
    while (stretch_ < wanted_.size()) {
        if (!iterator_->valid() || !iterator_->key().starts_with(kind_)) {
            stretch_ = wanted_.size();
        } else if (const auto& end = wanted_[stretch_].end; end && key() >= *end) {
            ++stretch_;
            if (stretch_ < wanted_.size() && key() < wanted_[stretch_].first) {
                seek(wanted_[stretch_].first);
            }
        } else {
            return;
        }
    }
}

}  // namespace keywatch::structures
