// SPDX-License-Identifier: BSL-1.0
#include "prefix_tree.hpp"

#include <algorithm>
#include <iterator>
#include <new>
#include <utility>

namespace keywatch::watch {

namespace {

std::size_t common_length(std::string_view a, std::string_view b)
{
    const std::size_t shorter = std::min(a.size(), b.size());
    a = a.substr(0, shorter);
    b = b.substr(0, shorter);
    // Usually one string begins with the other, and comparing them as a whole is faster than byte
    // by byte.
    return a == b ? shorter : static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

}  // namespace

PrefixTree::~PrefixTree()
{
    // The default destruction is recursive, as deep as the tree. This loop is not.
    try {
        std::vector<Link> rest;
        rest.push_back(std::move(root_));
        while (!rest.empty()) {
            const Link node = std::move(rest.back());
            rest.pop_back();
            if (node) {
                std::ranges::move(node->children, std::back_inserter(rest));
            }
        }
    } catch (const std::bad_alloc&) {
        // Falls back to the recursive destruction.
    }
}

void PrefixTree::add(std::string_view prefix, Reference reference)
{
    if (!root_) {
        root_ = std::make_unique<Node>("");
    }
    Node* node = root_.get();
    while (!prefix.empty()) {
        const std::size_t place = node->place_of(prefix.front());
        if (place == node->children.size()) {
            node = &node->adopt(std::make_unique<Node>(std::string(prefix)));
            break;
        }
        Link& child = node->children[place];
        const std::size_t common = common_length(child->label, prefix);
        if (common < child->label.size()) {
            child = split(std::move(child), common);
        }
        prefix.remove_prefix(common);
        node = child.get();
    }
    node->references.add(std::move(reference));
}

Reference PrefixTree::remove(std::string_view prefix, const Interest& interest)
{
    Node* parent = nullptr;
    Node* node = root_.get();
    while (!prefix.empty()) {
        parent = node;
        node = node->children[node->place_of(prefix.front())].get();
        prefix.remove_prefix(node->label.size());
    }
    Reference removed = node->references.remove(interest);
    if (node->references.empty()) {
        prune(*node, parent);
    }
    return removed;
}

void PrefixTree::prune(Node& node, Node* parent)
{
    Node* changed = &node;
    if (parent && node.children.empty()) {
        parent->drop(parent->place_of(node.label.front()));
        changed = parent;
    }
    const bool needless = changed->references.empty();
    if (changed != root_.get() && needless && changed->children.size() == 1) {
        changed->absorb_only_child();
    } else if (changed == root_.get() && needless && changed->children.empty()) {
        root_.reset();
    }
}

PrefixTree::Link PrefixTree::split(Link lower, std::size_t at)
{
    // The upper part is often the longer one, so it keeps the memory.
    std::string label = std::move(lower->label);
    lower->label = label.substr(at);
    label.resize(at);
    Link upper = std::make_unique<Node>(std::move(label));
    upper->adopt(std::move(lower));
    return upper;
}

PrefixTree::Node& PrefixTree::Node::adopt(Link child)
{
    first_bytes.push_back(child->label.front());
    children.push_back(std::move(child));
    return *children.back();
}

void PrefixTree::Node::drop(std::size_t place)
{
    first_bytes[place] = first_bytes.back();
    first_bytes.pop_back();
    std::swap(children[place], children.back());
    children.pop_back();
}

void PrefixTree::Node::absorb_only_child()
{
    const Link child = std::move(children.front());
    label += child->label;
    references = std::move(child->references);
    first_bytes = std::move(child->first_bytes);
    children = std::move(child->children);
}

}  // namespace keywatch::watch
