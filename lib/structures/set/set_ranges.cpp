// SPDX-License-Identifier: BSL-1.0
#include "set_ranges.hpp"

#include <algorithm>
#include <compare>
#include <utility>

namespace keywatch::structures::set {

namespace {

using Cursor = detail::Cursor<std::string_view>;

/// Number of members that are stepped over before a seek is worth its cost.
constexpr int near = 8;

class Members final : public Cursor {
public:
    Members(const SetRef& of, std::string_view prefix)
        : workspace_(of.workspace),
          bucket_(of.bucket),
          key_(of.key),
          wanted_(prefix),
          iterator_(workspace_->iterate(bucket_))
    {
    }

    void start() override
    {
        const std::optional<collection::Header> header =
            collection::find(*workspace_, bucket_, key_);
        there_ = header.has_value();
        if (!there_) {
            return;
        }
        elements_ = collection::element_prefix(header->id);
        prefix_ = elements_ + wanted_;
        iterator_->seek(elements_ + std::max(header->content, wanted_));
    }
    bool valid() const override
    {
        return iterator_->valid() && there_ && iterator_->key().starts_with(prefix_);
    }
    void next() override { iterator_->next(); }
    std::string_view current() const override { return iterator_->key().substr(elements_.size()); }

    /// Moves to the first member that is not less.
    void skip_to(std::string_view member)
    {
        for (int steps = 0; steps < near; ++steps) {
            if (!valid() || current() >= member) {
                return;
            }
            next();
        }
        if (valid() && current() < member) {
            iterator_->seek(elements_ + std::string(member));
        }
    }

private:
    std::shared_ptr<Workspace> workspace_;
    BucketIndex bucket_;
    std::string key_;
    std::string wanted_;
    std::shared_ptr<KeyIterator> iterator_;
    bool there_ = false;
    std::string elements_;  ///< the common prefix of the keys of all elements
    std::string prefix_;    ///< the common prefix of the selected ones
};

/// Two sets, read side by side.
class Both : public Cursor {
public:
    Both(const SetRef& a, const SetRef& b) : a_(a, {}), b_(b, {}) {}

    void start() final
    {
        a_.start();
        b_.start();
        settle();
    }

protected:
    /// Moves to the next member that belongs to the result, unless the current one does.
    virtual void settle() = 0;

    Members a_;
    Members b_;
};

class Union final : public Both {
public:
    using Both::Both;

    bool valid() const override { return a_.valid() || b_.valid(); }
    void next() override
    {
        const bool pass_a = order_ <= 0;
        const bool pass_b = order_ >= 0;
        if (pass_a) {
            a_.next();
        }
        if (pass_b) {
            b_.next();
        }
        settle();
    }
    std::string_view current() const override { return order_ <= 0 ? a_.current() : b_.current(); }

private:
    void settle() override
    {
        if (a_.valid() && b_.valid()) {
            order_ = a_.current() <=> b_.current();
        } else {
            order_ = a_.valid() ? std::strong_ordering::less : std::strong_ordering::greater;
        }
    }

    /// The order of the two current members. A missing one comes last.
    std::strong_ordering order_ = std::strong_ordering::equal;
};

class Intersection final : public Both {
public:
    using Both::Both;

    bool valid() const override { return a_.valid() && b_.valid(); }
    void next() override
    {
        a_.next();
        settle();
    }
    std::string_view current() const override { return a_.current(); }

private:
    void settle() override
    {
        while (valid()) {
            const auto order = a_.current() <=> b_.current();
            if (order == 0) {
                return;
            }
            if (order < 0) {
                a_.skip_to(b_.current());
            } else {
                b_.skip_to(a_.current());
            }
        }
    }
};

class Difference final : public Both {
public:
    using Both::Both;

    bool valid() const override { return a_.valid(); }
    void next() override
    {
        a_.next();
        settle();
    }
    std::string_view current() const override { return a_.current(); }

private:
    void settle() override
    {
        while (a_.valid()) {
            b_.skip_to(a_.current());
            if (!b_.valid() || b_.current() != a_.current()) {
                return;
            }
            a_.next();
        }
    }
};

template <class Cursor>
Range<std::string_view> range_of(const SetRef& a, const SetRef& b)
{
    return Range<std::string_view>(std::make_shared<Cursor>(a, b));
}

}  // namespace

Range<std::string_view> members(const SetRef& of, std::string_view prefix)
{
    return Range<std::string_view>(std::make_shared<Members>(of, prefix));
}

Range<std::string_view> unite(const SetRef& a, const SetRef& b)
{
    return range_of<Union>(a, b);
}

Range<std::string_view> intersection(const SetRef& a, const SetRef& b)
{
    return range_of<Intersection>(a, b);
}

Range<std::string_view> difference(const SetRef& a, const SetRef& b)
{
    return range_of<Difference>(a, b);
}

}  // namespace keywatch::structures::set
