// SPDX-License-Identifier: BSL-1.0
#include "range_tree.hpp"

#include <algorithm>

namespace keywatch::watch {

namespace {

/// Returns the later of two ends.
std::string_view later(std::string_view a, std::string_view b)
{
    return a.empty() || b.empty() ? std::string_view() : std::max(a, b);
}

}  // namespace

void RangeTree::add(std::string_view first, std::string_view last, Reference reference)
{
    const Range range{first, last};
    Node* node = find(range);
    if (!node) {
        Link made = std::make_unique<Node>(range);
        node = made.get();
        root_ = insert(std::move(root_), std::move(made));
    }
    node->references.add(std::move(reference));
}

Reference RangeTree::remove(std::string_view first, std::string_view last, const Interest& interest)
{
    const Range range{first, last};
    Node* const node = find(range);
    Reference removed = node->references.remove(interest);
    if (node->references.empty()) {
        root_ = erase(std::move(root_), range);
    }
    return removed;
}

RangeTree::Node* RangeTree::find(Range range) const noexcept
{
    Node* node = root_.get();
    while (node && node->range() != range) {
        node = range < node->range() ? node->left.get() : node->right.get();
    }
    return node;
}

RangeTree::Link RangeTree::insert(Link tree, Link node)
{
    if (!tree) {
        return node;
    }
    Link& side = node->range() < tree->range() ? tree->left : tree->right;
    side = insert(std::move(side), std::move(node));
    return balance(std::move(tree));
}

RangeTree::Link RangeTree::erase(Link tree, Range range)
{
    if (tree->range() != range) {
        Link& side = range < tree->range() ? tree->left : tree->right;
        side = erase(std::move(side), range);
        return balance(std::move(tree));
    }
    if (!tree->right) {
        return std::move(tree->left);
    }
    // The next node takes its place.
    Rest rest = take_first(std::move(tree->right));
    rest.node->left = std::move(tree->left);
    rest.node->right = std::move(rest.tree);
    return balance(std::move(rest.node));
}

RangeTree::Rest RangeTree::take_first(Link tree)
{
    if (!tree->left) {
        Link right = std::move(tree->right);
        return {std::move(right), std::move(tree)};
    }
    Rest rest = take_first(std::move(tree->left));
    tree->left = std::move(rest.tree);
    return {balance(std::move(tree)), std::move(rest.node)};
}

RangeTree::Link RangeTree::balance(Link tree)
{
    const int lean = height(tree->left) - height(tree->right);
    if (lean > 1) {
        if (height(tree->left->left) < height(tree->left->right)) {
            tree->left = rotate_left(std::move(tree->left));
        }
        return rotate_right(std::move(tree));
    }
    if (lean < -1) {
        if (height(tree->right->right) < height(tree->right->left)) {
            tree->right = rotate_right(std::move(tree->right));
        }
        return rotate_left(std::move(tree));
    }
    update(*tree);
    return tree;
}

RangeTree::Link RangeTree::rotate_left(Link tree)
{
    Link top = std::move(tree->right);
    tree->right = std::move(top->left);
    update(*tree);
    top->left = std::move(tree);
    update(*top);
    return top;
}

RangeTree::Link RangeTree::rotate_right(Link tree)
{
    Link top = std::move(tree->left);
    tree->left = std::move(top->right);
    update(*tree);
    top->right = std::move(tree);
    update(*top);
    return top;
}

void RangeTree::update(Node& node) noexcept
{
    node.height = 1 + std::max(height(node.left), height(node.right));
    node.reach = node.last;
    for (const Node* const below : {node.left.get(), node.right.get()}) {
        if (below) {
            node.reach = later(node.reach, below->reach);
        }
    }
}

}  // namespace keywatch::watch
