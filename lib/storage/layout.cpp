// SPDX-License-Identifier: BSL-1.0
#include "layout.hpp"

#include "bytes.hpp"

namespace keywatch::storage {

namespace {

constexpr std::size_t history_key_bytes = 1 + 8 + 2;
constexpr std::size_t orphan_key_bytes = 1 + 4;

std::string id_key(char area, BucketId id)
{
    std::string key(1, area);
    append_fixed(key, id);
    return key;
}

bool is_structure(char byte)
{
    return byte >= static_cast<char>(Structure::btree) &&
           byte <= static_cast<char>(Structure::sorted_set);
}

}  // namespace

std::string bucket_key(Structure structure, std::string_view name)
{
    std::string key;
    key.reserve(2 + name.size());
    key += bucket_area;
    key += static_cast<char>(structure);
    key += name;
    return key;
}

std::optional<std::pair<Structure, std::string_view>> parse_bucket_key(std::string_view key)
{
    if (key.size() < 3 || key[0] != bucket_area || !is_structure(key[1])) {
        return std::nullopt;
    }
    return std::pair{static_cast<Structure>(key[1]), key.substr(2)};
}

std::string data_prefix(BucketId id)
{
    return id_key(data_area, id);
}

std::optional<std::string> prefix_end(std::string_view prefix)
{
    while (!prefix.empty() && prefix.back() == '\xff') {
        prefix.remove_suffix(1);
    }
    if (prefix.empty()) {
        return std::nullopt;
    }
    std::string end(prefix);
    end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
    return end;
}

std::string history_key(Revision revision, std::uint16_t part)
{
    std::string key;
    key.reserve(history_key_bytes);
    key += history_area;
    append_fixed(key, revision);
    append_fixed(key, part);
    return key;
}

std::optional<std::pair<Revision, std::uint16_t>> parse_history_key(std::string_view key)
{
    if (key.size() != history_key_bytes || key[0] != history_area) {
        return std::nullopt;
    }
    return std::pair{load_fixed<Revision>(key.data() + 1),
                     load_fixed<std::uint16_t>(key.data() + 9)};
}

std::string orphan_key(BucketId id)
{
    return id_key(orphan_area, id);
}

std::optional<BucketId> parse_orphan_key(std::string_view key)
{
    if (key.size() != orphan_key_bytes || key[0] != orphan_area) {
        return std::nullopt;
    }
    return load_fixed<BucketId>(key.data() + 1);
}

std::string encode_number(std::uint64_t number)
{
    std::string bytes;
    append_fixed(bytes, number);
    return bytes;
}

std::optional<std::uint64_t> decode_number(std::string_view bytes)
{
    if (bytes.size() != sizeof(std::uint64_t)) {
        return std::nullopt;
    }
    return load_fixed<std::uint64_t>(bytes.data());
}

}  // namespace keywatch::storage
