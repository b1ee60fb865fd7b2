// SPDX-License-Identifier: BSL-1.0
#include "merged_iterator.hpp"

#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include "bytes/prefix_end.hpp"

#include <iterator>
#include <utility>

namespace keywatch::embedded {

namespace {

WriteSet::Value value_of(const WriteSet::Value& value)
{
    return value;
}

WriteSet::Value value_of(const Overlay::Entry& entry)
{
    return entry.value;
}

/// A sorted map in memory. It may gain keys while the iterator lives, so each step looks up the
/// neighbour again.
template <class Map>
class MapLayer final : public Layer {
public:
    explicit MapLayer(const Map& map) : map_(map) {}

    void seek(std::string_view key) override { stand(map_.lower_bound(key)); }
    void seek_before(std::string_view key) override
    {
        const auto at = map_.lower_bound(key);
        stand(at == map_.begin() ? map_.end() : std::prev(at));
    }
    void move_past(std::string_view key, bool forward) override
    {
        if (forward) {
            stand(map_.upper_bound(key));
        } else {
            seek_before(key);
        }
    }

private:
    void stand(typename Map::const_iterator at)
    {
        if (at == map_.end()) {
            clear_current();
        } else {
            set_current(at->first, value_of(at->second));
        }
    }

    const Map& map_;
};

leveldb::Slice slice(std::string_view bytes)
{
    return {bytes.data(), bytes.size()};
}

/// The stored keys. They do not change while the iterator lives. The iterator throws if something
/// cannot be read.
class StoreLayer final : public Layer {
public:
    explicit StoreLayer(std::unique_ptr<leveldb::Iterator> iterator)
        : iterator_(std::move(iterator))
    {
    }

    void seek(std::string_view key) override
    {
        clear_current();  // in case the iterator throws
        iterator_->Seek(slice(key));
        stand();
    }
    void seek_before(std::string_view key) override
    {
        clear_current();
        iterator_->Seek(slice(key));
        iterator_->Valid() ? iterator_->Prev() : iterator_->SeekToLast();
        stand();
    }
    void move_past(std::string_view key, bool forward) override
    {
        if (valid() && (this->key().data() == key.data() || this->key() == key)) {
            clear_current();
            forward ? iterator_->Next() : iterator_->Prev();
            stand();
        }
    }

private:
    void stand()
    {
        if (iterator_->Valid()) {
            const leveldb::Slice key = iterator_->key();
            const leveldb::Slice value = iterator_->value();
            set_current({key.data(), key.size()}, std::string_view(value.data(), value.size()));
        }
    }

    std::unique_ptr<leveldb::Iterator> iterator_;
};

}  // namespace

std::unique_ptr<Layer> make_layer(const WriteSet& writes)
{
    return std::make_unique<MapLayer<WriteSet::Map>>(writes.map());
}

std::unique_ptr<Layer> make_layer(const Overlay& overlay)
{
    return std::make_unique<MapLayer<Overlay::Map>>(overlay.map());
}

std::unique_ptr<Layer> make_layer(std::unique_ptr<leveldb::Iterator> iterator)
{
    return std::make_unique<StoreLayer>(std::move(iterator));
}

MergedIterator::MergedIterator(std::string prefix, Layers layers)
    : prefix_(std::move(prefix)), end_(bytes::prefix_end(prefix_)), layers_(std::move(layers))
{
}

void MergedIterator::finish() noexcept
{
    finished_ = true;
    current_ = nullptr;
    layers_ = {};
}

void MergedIterator::check_usable() const
{
    if (finished_) {
        fail(Error::transaction_finished);
    }
}

void MergedIterator::seek(std::string_view key)
{
    seek_all(prefix_ + std::string(key));
}

void MergedIterator::seek_before(std::string_view key)
{
    seek_all_before(prefix_ + std::string(key));
}

void MergedIterator::first()
{
    seek_all(prefix_);
}

void MergedIterator::last()
{
    seek_all_before(*end_);  // an area byte is never 0xff
}

void MergedIterator::next()
{
    step(true);
}

void MergedIterator::previous()
{
    step(false);
}

void MergedIterator::seek_all(std::string_view full_key)
{
    check_usable();
    forward_ = true;
    current_ = nullptr;
    for (const auto& layer : layers_) {
        if (layer) {
            layer->seek(full_key);
        }
    }
    settle();
}

void MergedIterator::seek_all_before(std::string_view full_key)
{
    check_usable();
    forward_ = false;
    current_ = nullptr;
    for (const auto& layer : layers_) {
        if (layer) {
            layer->seek_before(full_key);
        }
    }
    settle();
}

void MergedIterator::step(bool forward)
{
    check_usable();
    if (forward != forward_) {
        // The other layers are on the wrong side of the current key.
        std::string here = prefix_ + std::string(key_);
        if (!forward) {
            seek_all_before(here);
            return;
        }
        here += '\0';
        seek_all(here);
        return;
    }
    move_past_current();
    settle();
}

/// Moves all layers past the current key. The key belongs to the layer positioned on it, so that
/// layer moves last.
void MergedIterator::move_past_current()
{
    Layer* const newest = std::exchange(current_, nullptr);
    const std::string_view key = newest->key();
    for (const auto& layer : layers_) {
        if (layer && layer.get() != newest) {
            layer->move_past(key, forward_);
        }
    }
    newest->move_past(key, forward_);
}

void MergedIterator::settle()
{
    for (;;) {
        current_ = nullptr;
        for (const auto& layer : layers_) {
            if (!layer || !inside(*layer)) {
                continue;
            }
            const bool nearer = !current_ || (forward_ ? layer->key() < current_->key()
                                                       : layer->key() > current_->key());
            if (nearer) {
                current_ = layer.get();
            }
        }
        if (!current_) {
            return;
        }
        if (const auto& value = current_->value()) {
            key_ = current_->key().substr(prefix_.size());
            value_ = *value;
            return;
        }
        move_past_current();
    }
}

bool MergedIterator::inside(const Layer& layer) const
{
    return layer.valid() && layer.key().starts_with(prefix_);
}

}  // namespace keywatch::embedded
