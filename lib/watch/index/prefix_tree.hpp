// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "references.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keywatch::watch {

/// Interests by prefixes of keys: a radix tree whose edges are labelled with whole strings
/// (Morrison, "PATRICIA", 1968). Every node except the root has references or at least two
/// children.
///
/// Finding the prefixes of a key, adding and removing take time proportional to the length of the
/// key or prefix, regardless of how many prefixes there are. Nothing is recursive, as prefixes may
/// be nested as deeply as they are long.
class PrefixTree {
public:
    PrefixTree() = default;
    PrefixTree(PrefixTree&&) noexcept = default;
    PrefixTree& operator=(PrefixTree&& other) noexcept
    {
        root_.swap(other.root_);
        return *this;
    }
    ~PrefixTree();

    bool empty() const noexcept { return root_ == nullptr; }

    void add(std::string_view prefix, Reference reference);
    /// Removes an interest and returns its reference. Precondition: it was added with this prefix.
    Reference remove(std::string_view prefix, const Interest& interest);

    /// Calls `function` with the references of every prefix of the key.
    template <class Function>
    void match_lists(std::string_view key, Function function) const
    {
        const Node* node = root_.get();
        while (node) {
            function(node->references);
            node = node->next(key);
            key.remove_prefix(node ? node->label.size() : 0);
        }
    }
    /// Calls `function` for every reference whose prefix the key begins with.
    template <class Function>
    void match(std::string_view key, Function function) const
    {
        match_lists(key, [&](const References& list) { list.for_each(function); });
    }
    /// Calls `function` for every reference.
    template <class Function>
    void for_each(Function function) const
    {
        std::vector<const Node*> rest;
        if (root_) {
            rest.push_back(root_.get());
        }
        while (!rest.empty()) {
            const Node& node = *rest.back();
            rest.pop_back();
            for (const Reference& each : node.references) {
                function(each);
            }
            for (const Link& each : node.children) {
                rest.push_back(each.get());
            }
        }
    }

private:
    struct Node;
    using Link = std::unique_ptr<Node>;

    struct Node {
        explicit Node(std::string label_) : label(std::move(label_)) {}

        /// Returns the place of the child whose label begins with this byte; `children.size()` if
        /// there is none.
        std::size_t place_of(char byte) const noexcept
        {
            const std::size_t place = first_bytes.find(byte);
            return place == std::string::npos ? children.size() : place;
        }
        /// Returns the child whose label is a prefix of the key; null if there is none.
        const Node* next(std::string_view key) const noexcept
        {
            const std::size_t place = key.empty() ? children.size() : place_of(key.front());
            const bool there = place < children.size() && key.starts_with(children[place]->label);
            return there ? children[place].get() : nullptr;
        }
        Node& adopt(Link child);
        void drop(std::size_t place);
        /// Merges the only child into this node.
        void absorb_only_child();

        std::string label;
        References references;
        /// Unordered children. `first_bytes` has the first byte of each child's label at the same
        /// place, so that a search does not visit the children.
        std::string first_bytes;
        std::vector<Link> children;
    };

    static Link split(Link lower, std::size_t at);
    void prune(Node& node, Node* parent);

    Link root_;  ///< null if the tree is empty; the root's label is empty
};

}  // namespace keywatch::watch
