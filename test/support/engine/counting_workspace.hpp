// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "structures/workspace.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keywatch::test {

/// One bucket in memory. It keeps erased entries, as LevelDB does until it compacts, and counts the
/// steps of its iterators over live keys and over erased ones.
class CountingWorkspace final : public structures::Workspace {
public:
    struct Steps {
        std::uint64_t live = 0;
        std::uint64_t erased = 0;
    };

    Steps take_steps() { return std::exchange(*steps_, Steps{}); }

    const HistoryId& history_id() const override { return history_id_; }
    Revision revision() const override { return 0; }
    structures::BucketIndex bucket(Structure, std::string_view) override { return 0; }
    bool has_bucket(Structure, std::string_view) const override { return true; }
    std::vector<Bucket> buckets() const override { return {}; }
    std::optional<Cursor> cursor(std::string_view) const override { return {}; }
    std::vector<Cursor> cursors() const override { return {}; }
    Time now() const override { return {}; }
    bool has_deadlines(structures::BucketIndex) const override { return false; }
    std::optional<std::string> get(structures::BucketIndex, std::string_view key) const override
    {
        const auto at = keys_->find(key);
        return at == keys_->end() ? std::nullopt : at->second;
    }
    std::shared_ptr<structures::KeyIterator> iterate(structures::BucketIndex) const override
    {
        return std::make_shared<Iterator>(keys_, steps_);
    }
    void create_bucket(Structure, std::string_view) override {}
    void delete_bucket(Structure, std::string_view) override {}
    void set_origin(std::string_view) override {}
    void save_cursor(std::string_view, const Position&) override {}
    bool delete_cursor(std::string_view) override { return false; }
    void require_room(std::size_t) override {}
    void put(structures::BucketIndex, std::string_view key, std::string_view value) override
    {
        keys_->insert_or_assign(std::string(key), std::string(value));
    }
    void erase(structures::BucketIndex, std::string_view key) override
    {
        keys_->insert_or_assign(std::string(key), std::nullopt);
    }
    void drop(structures::BucketIndex, std::string_view) override {}
    void move_deadline(structures::BucketIndex, std::string_view, std::optional<Time>,
                       std::optional<Time>) override
    {
    }
    bool records_previous() const override { return false; }
    void record(structures::BucketIndex, const Message&) override {}

private:
    using Keys = std::map<std::string, std::optional<std::string>, std::less<>>;

    class Iterator final : public structures::KeyIterator {
    public:
        Iterator(std::shared_ptr<const Keys> keys, std::shared_ptr<Steps> steps)
            : keys_(std::move(keys)), steps_(std::move(steps)), at_(keys_->end())
        {
        }

        bool valid() const override { return at_ != keys_->end(); }
        void seek(std::string_view key) override
        {
            at_ = keys_->lower_bound(key);
            forward_over_erased();
        }
        void seek_before(std::string_view key) override
        {
            at_ = keys_->lower_bound(key);
            back();
        }
        void first() override { seek({}); }
        void last() override
        {
            at_ = keys_->end();
            back();
        }
        void next() override
        {
            ++steps_->live;
            ++at_;
            forward_over_erased();
        }
        void previous() override
        {
            ++steps_->live;
            back();
        }
        std::string_view key() const override { return at_->first; }
        std::string_view value() const override { return *at_->second; }

    private:
        void forward_over_erased()
        {
            for (; valid() && !at_->second; ++at_) {
                ++steps_->erased;
            }
        }
        void back()
        {
            do {
                if (at_ == keys_->begin()) {
                    at_ = keys_->end();
                    return;
                }
                --at_;
                steps_->erased += at_->second ? 0 : 1;
            } while (!at_->second);
        }

        std::shared_ptr<const Keys> keys_;
        std::shared_ptr<Steps> steps_;
        Keys::const_iterator at_;
    };

    HistoryId history_id_;
    std::shared_ptr<Keys> keys_ = std::make_shared<Keys>();
    std::shared_ptr<Steps> steps_ = std::make_shared<Steps>();
};

}  // namespace keywatch::test
