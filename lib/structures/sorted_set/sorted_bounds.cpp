// SPDX-License-Identifier: BSL-1.0
#include "sorted_bounds.hpp"

#include "bytes/numbers.hpp"
#include "bytes/prefix_end.hpp"
#include "values/failure.hpp"

#include <keywatch/error.hpp>

namespace keywatch::structures::sorted_set {

Bounds::Bounds(std::string_view content)
{
    bytes::ByteReader reader(content);
    low_ = reader.string();
    high_ = reader.string();
    if (reader.failed() || reader.left() != 0 || low_.empty() || !bytes::prefix_end(high_)) {
        fail(Error::damaged, "the header of a sorted set");
    }
}

std::string Bounds::content() const
{
    std::string content;
    bytes::append_string(content, low_);
    bytes::append_string(content, high_);
    return content;
}

std::string Bounds::end() const
{
    return bytes::prefix_end(high_).value();  // no score's second byte is 0xff
}

void Bounds::include(std::string_view place)
{
    const std::string_view begin = place.substr(0, bytes);
    if (low_.empty() || begin < low_) {
        low_ = begin;
    }
    if (begin > high_) {
        high_ = begin;
    }
}

}  // namespace keywatch::structures::sorted_set
