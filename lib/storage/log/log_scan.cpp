// SPDX-License-Identifier: BSL-1.0
#include "log_scan.hpp"

#include <algorithm>

namespace keywatch::storage {

std::size_t LogScan::add(std::string_view block)
{
    std::size_t at = 0;
    while (!ended_ && block.size() - at >= log_header_bytes) {
        const auto fragment = parse_fragment(block.substr(at));
        ended_ = !fragment || !take(*fragment);
        at += ended_ ? 0 : fragment->bytes();
    }
    if (!ended_ && block.size() == log_block_bytes && is_zeros(block.substr(at))) {
        return block.size();
    }
    ended_ = true;
    return at;
}

bool LogScan::take(const LogFragment& fragment)
{
    if (fragment.begins() == in_record_) {
        return false;
    }
    if (fragment.begins()) {
        record_.clear();
        size_ = 0;
    }
    record_ += fragment.payload.substr(0, kept_ - record_.size());
    size_ += fragment.payload.size();
    if (fragment.ends() && !belongs_(record_, size_)) {
        return false;
    }
    in_record_ = !fragment.ends();
    return true;
}

}  // namespace keywatch::storage
