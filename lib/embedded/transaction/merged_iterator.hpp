// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "overlay.hpp"
#include "write_set.hpp"

#include "storage/store.hpp"
#include "structures/workspace.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace keywatch::embedded {

/// A sorted source of keys below a common prefix. A key without a value is an erased one: it hides
/// the key in older sources.
///
/// The current key and value are cached here, because a scan asks for them several times per step
/// and the underlying source is slow to return them.
class Layer {
public:
    virtual ~Layer() = default;
    virtual void seek(std::string_view key) = 0;
    virtual void seek_before(std::string_view key) = 0;
    /// Moves past `key`, forward or backward, and sees what was written since the last move. `key`
    /// may refer to the current key.
    virtual void move_past(std::string_view key, bool forward) = 0;

    bool valid() const noexcept { return valid_; }
    std::string_view key() const noexcept { return key_; }
    const std::optional<std::string_view>& value() const noexcept { return value_; }

protected:
    void clear_current() noexcept { valid_ = false; }
    void set_current(std::string_view key, std::optional<std::string_view> value) noexcept
    {
        valid_ = true;
        key_ = key;
        value_ = value;
    }

private:
    bool valid_ = false;
    std::string_view key_;
    std::optional<std::string_view> value_;
};

std::unique_ptr<Layer> make_layer(const WriteSet& writes);
std::unique_ptr<Layer> make_layer(const Overlay& overlay);
/// The iterator must throw if something cannot be read, as those of the store do.
std::unique_ptr<Layer> make_layer(std::unique_ptr<leveldb::Iterator> iterator);

/// The keys of one bucket over all layers, newest layer first.
///
/// Invariant while it is valid: every layer is at or past the current key in the direction of the
/// last move, and `current_` is the newest layer positioned on it.
class MergedIterator final : public structures::KeyIterator {
public:
    static constexpr std::size_t max_layers = 3;
    using Layers = std::array<std::unique_ptr<Layer>, max_layers>;

    /// All keys of the bucket begin with `prefix`. Null layers are skipped.
    MergedIterator(std::string prefix, Layers layers);

    /// Releases the layers. Every later use throws.
    void finish() noexcept;

    bool valid() const override
    {
        check_usable();
        return current_ != nullptr;
    }
    void seek(std::string_view key) override;
    void seek_before(std::string_view key) override;
    void first() override;
    void last() override;
    void next() override;
    void previous() override;
    std::string_view key() const override
    {
        check_usable();
        return key_;
    }
    std::string_view value() const override
    {
        check_usable();
        return value_;
    }

private:
    void check_usable() const;
    void seek_all(std::string_view full_key);
    void seek_all_before(std::string_view full_key);
    void step(bool forward);
    void move_past_current();
    void settle();
    bool inside(const Layer& layer) const;

    std::string prefix_;
    std::optional<std::string> end_;
    Layers layers_;
    bool finished_ = false;
    bool forward_ = true;
    Layer* current_ = nullptr;
    std::string_view key_;
    std::string_view value_;
};

}  // namespace keywatch::embedded
