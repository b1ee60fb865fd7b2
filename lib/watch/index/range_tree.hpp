// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "references.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace keywatch::watch {

/// Interests by ranges of keys, [first, last); an empty `last` means no end. A balanced search tree
/// over the distinct ranges in which each node knows how far the ranges below it reach (Cormen et
/// al., "Introduction to Algorithms": interval trees). It is balanced as described by
/// Adelson-Velsky and Landis: it is never deeper than 1.44 times the logarithm of its size, so
/// recursion is safe.
///
/// Adding and removing take O(log n). Finding the ranges of a key takes O(log n), plus O(log n) for
/// each range found. Boost has no suitable container: the interval maps of its ICL cut overlapping
/// ranges into pieces, the number of which grows with the square of the number of ranges.
class RangeTree {
public:
    bool empty() const noexcept { return root_ == nullptr; }

    void add(std::string_view first, std::string_view last, Reference reference);
    /// Removes an interest and returns its reference. Precondition: it was added with this range.
    Reference remove(std::string_view first, std::string_view last, const Interest& interest);

    /// Calls `function` with the references of every range that contains the key.
    template <class Function>
    void match_lists(std::string_view key, Function function) const
    {
        match(root_.get(), key, function);
    }
    /// Calls `function` for every reference whose range contains the key.
    template <class Function>
    void match(std::string_view key, Function function) const
    {
        match_lists(key, [&](const References& list) { list.for_each(function); });
    }
    /// Calls `function` for every reference.
    template <class Function>
    void for_each(Function function) const
    {
        for_each(root_.get(), function);
    }

private:
    struct Node;
    using Link = std::unique_ptr<Node>;
    /// Ranges are sorted by their beginnings.
    using Range = std::pair<std::string_view, std::string_view>;

    struct Node {
        explicit Node(Range range) : first(range.first), last(range.second), reach(last) {}

        Range range() const noexcept { return {first, last}; }

        const std::string first;
        const std::string last;
        References references;
        Link left;
        Link right;
        std::string_view reach;  ///< the latest end of the ranges at and below this node
        int height = 1;
    };
    /// A tree, and the node that was removed from it.
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
        // Skips subtrees that do not reach the key, and everything after a range that begins after
        // it.
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
