// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support.hpp"

#include "bytes/numbers.hpp"
#include "storage/format/history_record.hpp"
#include "storage/format/layout.hpp"
#include "structures/collection.hpp"
#include "structures/sorted_set/score.hpp"
#include "structures/sorted_set/sorted_elements.hpp"

#include <leveldb/iterator.h>
#include <leveldb/write_batch.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace bench {

namespace sorted_set = kw::structures::sorted_set;

using Scored = std::pair<std::string, double>;

/// The floor: performs the LevelDB operations of the sorted set `k` in the first bucket. The counts
/// of its rank index become wrong, and it neither creates nor removes fences; that costs almost
/// nothing.
class BareSet {
public:
    explicit BareSet(const std::string& path) : store_(path)
    {
        options_.verify_checksums = true;
        for (const std::string_view kind : {"c\2", "c\1"}) {
            Level level{kind, {}, {}};
            for (seek(kind, {}); inside(); at_->Next()) {
                level.last = here();
                if (level.first.empty()) {
                    level.first = here();
                }
            }
            if (!level.last.empty()) {
                levels_.push_back(level);
            }
        }
    }

    void add(const Scored& member)
    {
        begin();
        if (!get("m" + member.first).empty()) {
            std::abort();
        }
        const std::string place = place_of(member);
        put("m" + member.first, kw::structures::score_text(member.second));
        put("s" + place, {});
        for (const Level& level : levels_) {
            count_in(fence_of(level, place));
        }
        finish(true, kw::Operation::add);
    }
    void rescore(const Scored& member)
    {
        begin();
        const double before = kw::structures::parse_score(get("m" + member.first));
        const std::string from = place_of({member.first, before});
        const std::string to = place_of(member);
        put("m" + member.first, kw::structures::score_text(member.second));
        put("s" + to, {});
        batch_.Delete(prefix_ + "s" + from);
        bool resized = false;
        for (const Level& level : levels_) {
            const std::string old_fence = fence_of(level, from);
            const std::string new_fence = fence_of(level, to);
            if (old_fence != new_fence) {
                count_in(old_fence);
                count_in(new_fence);
                resized |= old_fence.empty() || new_fence.empty();
            }
        }
        finish(resized, kw::Operation::rescore);
    }
    Scored pop_min()
    {
        begin();
        seek("s", low_);
        const std::string place = at_->key().ToString().substr(prefix_.size() + 1);
        low_ = place;
        const Scored popped(sorted_set::member_at(place), sorted_set::score_at(place));
        batch_.Delete(prefix_ + "m" + popped.first);
        batch_.Delete(prefix_ + "s" + place);
        for (const Level& level : levels_) {
            count_in(fence_of(level, place));
        }
        finish(true, kw::Operation::remove);
        return popped;
    }
    std::size_t rank(const std::string& member)
    {
        begin();
        const double score = kw::structures::parse_score(get("m" + member));
        return walk(place_of({member, score}), SIZE_MAX);
    }
    std::size_t range_by_rank(std::size_t rank, int count)
    {
        begin();
        walk("\xff", rank);
        return range(count);
    }
    std::size_t range_by_score(double score, int count)
    {
        begin();
        seek("s", place_of({"", score}));
        return range(count);
    }

    // The following two functions are not measured.
    /// Adds members again. They must be in their order in the set.
    void restore(const std::vector<Scored>& members)
    {
        for (const auto& [member, score] : members) {
            put("m" + member, kw::structures::score_text(score));
            put("s" + place_of({member, score}), {});
        }
        low_ = place_of(members.front());
        write();
    }
    void forget(const std::vector<Scored>& members)
    {
        for (const auto& [member, score] : members) {
            batch_.Delete(prefix_ + "m" + member);
            batch_.Delete(prefix_ + "s" + place_of({member, score}));
        }
        write();
    }
    leveldb::DB& db() { return store_.db(); }

private:
    /// A level of the rank index that has fences.
    struct Level {
        std::string_view kind;
        std::string first;
        std::string last;
    };

    static std::string place_of(const Scored& member)
    {
        return sorted_set::place_of(member.second, member.first);
    }

    void begin()
    {
        at_.reset();
        batch_.Clear();
        if (!db().Get(options_, header_key_, &header_).ok()) {
            std::abort();
        }
    }
    std::string get(const std::string& key)
    {
        std::string value;
        (void)db().Get(options_, prefix_ + key, &value);
        return value;
    }
    void put(const std::string& key, const std::string& value) { batch_.Put(prefix_ + key, value); }
    void seek(std::string_view kind, std::string_view place)
    {
        if (!at_) {
            at_.reset(db().NewIterator(options_));
        }
        kind_ = prefix_;
        kind_ += kind;
        at_->Seek(kind_ + std::string(place));
    }
    bool inside() const { return at_->Valid() && at_->key().starts_with(kind_); }
    std::string_view here() const
    {
        return std::string_view(at_->key().data(), at_->key().size()).substr(kind_.size());
    }

    /// Returns the whole key of the fence that counts this place. Returns an empty string for the
    /// tail, which is in the header.
    std::string fence_of(const Level& level, std::string_view place)
    {
        if (place > level.last) {
            return {};
        }
        seek(level.kind, std::max<std::string_view>(place, level.first));
        return at_->key().ToString();
    }
    void count_in(const std::string& fence)
    {
        if (!fence.empty()) {
            batch_.Put(fence, std::string(8, '\1'));
        }
    }

    /// Descends the levels to a place or a rank. Returns the number of entries before it.
    std::size_t walk(std::string_view place, std::size_t rank)
    {
        std::size_t before = 0;
        std::string from;
        for (const Level& level : levels_) {
            std::string passed;
            for (seek(level.kind, from); here() < place; at_->Next()) {
                const auto count = kw::bytes::load_fixed<std::uint64_t>(at_->value().data());
                if (before + count > rank) {
                    break;
                }
                before += count;
                passed = here();
                if (passed == level.last) {
                    break;
                }
            }
            if (!passed.empty()) {
                from = passed + '\0';
            }
        }
        for (seek("s", from); inside() && here() < place && before < rank; at_->Next()) {
            ++before;
        }
        return before;
    }
    std::size_t range(int count)
    {
        std::size_t bytes = 0;
        for (; count > 0 && inside(); --count, at_->Next()) {
            bytes += at_->key().size();
        }
        return bytes;
    }

    void finish(bool resized, kw::Operation operation)
    {
        if (resized) {
            batch_.Put(header_key_, header_);
        }
        batch_.Put(history_key(++revision_), std::string(record_bytes(operation), 'r'));
        write();
    }
    /// Returns the size in bytes of the history record of one such commit.
    static std::size_t record_bytes(kw::Operation operation)
    {
        kw::storage::RecordWriter writer;
        kw::Message message;
        message.operation = operation;
        message.key = "k";
        message.value = "key00000000";
        message.score = 1;
        if (operation == kw::Operation::rescore) {
            message.previous_score = 1;
        }
        writer.add(writer.bucket("b"), message);
        kw::storage::Totals totals;
        return writer.finish(0, {}, totals).size();
    }
    void write()
    {
        if (!db().Write({}, &batch_).ok()) {
            std::abort();
        }
        batch_.Clear();
    }

    BareStore store_;
    leveldb::ReadOptions options_;
    leveldb::WriteBatch batch_;
    std::unique_ptr<leveldb::Iterator> at_;
    const std::string header_key_ = kw::storage::data_prefix(1) + "hk";
    const std::string prefix_ =
        kw::storage::data_prefix(1) + kw::structures::collection::element_prefix(1);
    std::vector<Level> levels_;
    std::string header_;
    std::string kind_;
    std::string low_;
    std::uint64_t revision_ = 0;
};

}  // namespace bench
