// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "references.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace keywatch::watch {

/// Interests by ranges of keys, [first, last); an empty `last` is no end. A balanced search tree
/// over the distinct ranges in which each node knows how far those below it reach (Cormen et al.,
/// "Introduction to Algorithms": interval trees; balanced as by Adelson-Velsky and Landis, so that
/// it is never deeper than 1.44 times the logarithm of its size, and may be recursive).
///
/// Adding and removing take O(log n), finding the ranges of a key O(log n) and O(log n) for each
/// that is found. Boost has nothing that serves: the interval maps of its ICL cut ranges that
/// overlap into pieces, of which there are as many as the square of the ranges.
class RangeTree {
public:
    bool empty() const noexcept { return root_ == nullptr; }

    void add(std::string_view first, std::string_view last, Reference reference);
    /// Gives what it held. Precondition: the interest was added with this range.
    Reference remove(std::string_view first, std::string_view last, const Interest& interest);

    /// Calls with the references of every range that has the key.
    template <class Function>
    void match_lists(std::string_view key, Function function) const
    {
        match(root_.get(), key, function);
    }
    /// Calls for every reference whose range has the key.
    template <class Function>
    void match(std::string_view key, Function function) const
    {
        match_lists(key, [&](const References& list) { list.for_each(function); });
    }
    /// Calls for every reference there is.
    template <class Function>
    void for_each(Function function) const
    {
        for_each(root_.get(), function);
    }

private:
    struct Node;
    using Link = std::unique_ptr<Node>;
    /// Ranges are sorted by where they begin.
    using Range = std::pair<std::string_view, std::string_view>;

    struct Node {
        explicit Node(Range range) : first(range.first), last(range.second), reach(last) {}

        Range range() const noexcept { return {first, last}; }

        const std::string first;
        const std::string last;
        References references;
        Link left;
        Link right;
        std::string_view reach;  ///< the end of the range that ends last, of it and those below
        int height = 1;
    };
    /// A tree, and the node that was taken out of it.
    struct Rest {
        Link tree;
        Link node;
    };

    static bool is_before(std::string_view key, std::string_view end) noexcept
    {
        return end.empty() || key < end;
    }

    template <class Function>
    static void match(const Node* node, std::string_view key, Function& function)
    {
        // Where nothing reaches the key there is nothing, and behind a range that begins behind it.
        while (node && is_before(key, node->reach)) {
            if (key < node->first) {
                node = node->left.get();
                continue;
            }
            match(node->left.get(), key, function);
            if (is_before(key, node->last)) {
                function(std::as_const(node->references));
            }
            node = node->right.get();
        }
    }
    template <class Function>
    static void for_each(const Node* node, Function& function)
    {
        for (; node; node = node->right.get()) {
            for_each(node->left.get(), function);
            for (const Reference& each : node->references) {
                function(each);
            }
        }
    }

    Node* find(Range range) const noexcept;
    static Link insert(Link tree, Link node);
    static Link erase(Link tree, Range range);
    static Rest take_first(Link tree);
    static Link balance(Link tree);
    static Link rotate_left(Link tree);
    static Link rotate_right(Link tree);
    static void update(Node& node) noexcept;
    static int height(const Link& tree) noexcept { return tree ? tree->height : 0; }

    Link root_;
};

}  // namespace keywatch::watch
