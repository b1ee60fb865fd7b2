// SPDX-License-Identifier: BSL-1.0
#include "glob.hpp"

#include <keywatch/error.hpp>

#include <optional>
#include <string>

namespace keywatch::bytes {

namespace {

using Bytes = std::bitset<256>;

/// Reads a pattern from its beginning to its end.
class Reader {
public:
    explicit Reader(std::string_view pattern) : pattern_(pattern) {}

    bool at_end() const { return at_ == pattern_.size(); }

    bool take_if(char byte)
    {
        const bool there = next_is(byte);
        at_ += there ? 1 : 0;
        return there;
    }

    unsigned char take_literal()
    {
        if (take_if('\\') && at_end()) {
            fail("a backslash at the end");
        }
        return static_cast<unsigned char>(pattern_[at_++]);
    }

    /// Reads the rest of a set after its opening bracket, including the closing one.
    Bytes take_set()
    {
        const bool complement = take_if('!');
        Bytes bytes;
        while (!take_if(']')) {
            bytes |= take_range();
        }
        if (bytes.none()) {
            fail("empty brackets");
        }
        return complement ? ~bytes : bytes;
    }

private:
    bool next_is(char byte) const { return !at_end() && pattern_[at_] == byte; }

    /// Reads one byte, or a range of bytes.
    Bytes take_range()
    {
        const unsigned first = take_member();
        unsigned last = first;
        if (next_is('-') && pattern_.substr(at_ + 1, 1) != "]") {
            ++at_;
            last = take_member();
        }
        if (last < first) {
            fail("a reversed range");
        }
        Bytes bytes;
        for (unsigned byte = first; byte <= last; ++byte) {
            bytes.set(byte);
        }
        return bytes;
    }

    unsigned char take_member()
    {
        if (at_end()) {
            fail("a bracket that is not closed");
        }
        return take_literal();
    }

    [[noreturn]] void fail(const char* what) const
    {
        throw boost::system::system_error(
            make_error_code(Error::invalid_pattern),
            std::string(what) + ", at byte " + std::to_string(at_) + " of the pattern");
    }

    std::string_view pattern_;
    std::size_t at_ = 0;
};

}  // namespace

Glob::Glob(std::string_view pattern)
{
    Reader reader(pattern);
    while (!reader.at_end()) {
        Part part;
        if (reader.take_if('*')) {
            part.any = true;
        } else if (reader.take_if('?')) {
            part.bytes.set();
        } else if (reader.take_if('[')) {
            part.bytes = reader.take_set();
        } else {
            part.bytes.set(reader.take_literal());
        }
        shortest_ += part.any ? 0 : 1;
        if (!part.any || parts_.empty() || !parts_.back().any) {
            parts_.push_back(part);
        }
    }
}

std::string Glob::literal_prefix() const
{
    std::string prefix;
    for (const Part& part : parts_) {
        if (part.any || part.bytes.count() != 1) {
            break;
        }
        unsigned byte = 0;
        while (!part.bytes.test(byte)) {
            ++byte;
        }
        prefix += static_cast<char>(byte);
    }
    return prefix;
}

bool Glob::matches_one(std::size_t part, char byte) const
{
    return part < parts_.size() && !parts_[part].any &&
           parts_[part].bytes.test(static_cast<unsigned char>(byte));
}

// If the part after a `*` does not match, it is tried again one byte later. An earlier `*` need
// never be tried again: the parts between the two have matched at the first possible place.
bool Glob::matches(std::string_view text) const
{
    if (text.size() < shortest_) {
        return false;
    }
    struct Resume {
        std::size_t part;
        std::size_t at;
    };
    std::optional<Resume> resume;
    std::size_t part = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        if (matches_one(part, text[at])) {
            ++part;
            ++at;
        } else if (part < parts_.size() && parts_[part].any) {
            ++part;
            resume = Resume{part, at};
        } else if (resume) {
            part = resume->part;
            at = ++resume->at;
        } else {
            return false;
        }
    }
    return part == parts_.size() || (part + 1 == parts_.size() && parts_[part].any);
}

}  // namespace keywatch::bytes
