// SPDX-License-Identifier: BSL-1.0
#include "sorted_elements.hpp"

#include "score.hpp"

#include "bytes/numbers.hpp"
#include "bytes/prefix_end.hpp"
#include "structures/collection.hpp"
#include "values/failure.hpp"

#include <keywatch/error.hpp>

namespace keywatch::structures::sorted_set {

namespace {

constexpr std::size_t score_bytes = 8;

}  // namespace

std::string place_of(double score, std::string_view member)
{
    std::string place;
    place.reserve(score_bytes + member.size());
    bytes::append_fixed(place, sortable_bits(score));
    place += member;
    return place;
}

double score_at(std::string_view place)
{
    if (place.size() < score_bytes) {
        fail(Error::damaged, "an entry of a sorted set");
    }
    return score_from_bits(bytes::load_fixed<std::uint64_t>(place.data()));
}

std::string_view member_at(std::string_view place)
{
    (void)score_at(place);
    return place.substr(score_bytes);
}

Elements::Elements(const Workspace& workspace, BucketIndex bucket, std::uint64_t id)
    : workspace_(&workspace), bucket_(bucket), prefix_(collection::element_prefix(id))
{
}

std::optional<double> Elements::score(std::string_view member)
{
    const std::optional<std::string> text = workspace_->get(bucket_, key(by_member, member));
    return text ? std::optional(parse_score(*text)) : std::nullopt;
}

void Elements::put(Workspace& workspace, std::string_view kind, std::string_view suffix,
                   std::string_view value)
{
    workspace.put(bucket_, key(kind, suffix), value);
}

void Elements::erase(Workspace& workspace, std::string_view kind, std::string_view suffix)
{
    workspace.erase(bucket_, key(kind, suffix));
}

void Elements::seek(std::string_view kind, std::string_view suffix)
{
    walk(kind);
    iterator_->seek(key(kind, suffix));
}

void Elements::seek_before(std::string_view kind, std::string_view suffix)
{
    walk(kind);
    iterator_->seek_before(key(kind, suffix));
}

void Elements::seek_last(std::string_view kind)
{
    walk(kind);
    iterator_->seek_before(*bytes::prefix_end(walked_));  // it does not end with 0xff
}

bool Elements::valid() const
{
    return iterator_->valid() && iterator_->key().starts_with(walked_);
}

std::string_view Elements::key(std::string_view kind, std::string_view suffix)
{
    key_ = prefix_;
    key_ += kind;
    key_ += suffix;
    return key_;
}

void Elements::walk(std::string_view kind)
{
    if (!iterator_) {
        iterator_ = workspace_->iterate(bucket_);
    }
    walked_ = prefix_;
    walked_ += kind;
}

}  // namespace keywatch::structures::sorted_set
