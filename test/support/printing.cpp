// SPDX-License-Identifier: BSL-1.0
#include "printing.hpp"

#include <keywatch/position.hpp>
#include <keywatch/selector.hpp>

#include <boost/system/error_code.hpp>

#include <array>
#include <cctype>
#include <string>

namespace keywatch::test::printing {

namespace {

void print_hex(std::ostream& out, unsigned char byte)
{
    constexpr std::string_view digits = "0123456789abcdef";
    out << digits[byte >> 4] << digits[byte & 15];
}

/// Returns the names after `Values = ` and an opening bracket, in the signature of
/// `list_of_enumerators`.
std::string_view enumerators_in(std::string_view signature)
{
    const std::string_view before = "Values = {";
    const std::size_t at = signature.find(before.substr(0, before.size() - 1));
    return at == signature.npos ? "" : signature.substr(at + before.size());
}

/// Returns the name without its namespaces: `Inbox::Push::full`.
std::string_view without_namespaces(std::string_view name)
{
    while (!name.empty() && (std::islower(static_cast<unsigned char>(name[0])) || name[0] == '{' ||
                             name[0] == '(' || name[0] == '<')) {
        const std::size_t end = name.find("::");
        if (end == name.npos) {
            break;
        }
        name.remove_prefix(end + 2);
    }
    return name;
}

}  // namespace

void print_text(std::ostream& out, std::string_view text)
{
    out << '"';
    for (const char each : text) {
        const auto byte = static_cast<unsigned char>(each);
        if (each == '"' || each == '\\') {
            out << '\\' << each;
        } else if (std::isprint(byte)) {
            out << each;
        } else {
            print_hex(out << "\\x", byte);
        }
    }
    out << '"';
}

void print_duration(std::ostream& out, std::chrono::nanoseconds duration)
{
    struct Unit {
        std::int64_t size;
        const char* name;
    };
    constexpr std::array<Unit, 4> units{
        {{1'000'000'000, "s"}, {1'000'000, "ms"}, {1'000, "us"}, {1, "ns"}}};
    for (const Unit& each : units) {
        if (duration.count() % each.size == 0) {
            out << duration.count() / each.size << each.name;
            return;
        }
    }
}

void print_enumerator(std::ostream& out, const char* list, std::int64_t number)
{
    std::string_view rest = enumerators_in(list);
    for (std::int64_t i = 0; i < number && !rest.empty(); ++i) {
        const std::size_t comma = rest.find(", ");
        rest = comma == rest.npos ? "" : rest.substr(comma + 2);
    }
    const std::string_view name = rest.substr(0, rest.find(", "));
    const bool is_number = name.starts_with('(') && !name.starts_with("(anonymous");
    if (number < 0 || name.empty() || is_number) {
        out << "enumerator " << number;
    } else {
        out << without_namespaces(name);
    }
}

void print_class(std::ostream& out, const boost::system::error_code& error)
{
    out << error.message() << " (" << error << ')';
}

void print_class(std::ostream& out, const std::exception_ptr& exception)
{
    if (!exception) {
        out << "no exception";
        return;
    }
    try {
        std::rethrow_exception(exception);
    } catch (const std::exception& error) {
        out << "exception: " << error.what();
    } catch (...) {
        out << "exception without a text";
    }
}

void print_class(std::ostream& out, const HistoryId& history)
{
    const std::string text = to_string(Position{history});
    out << text.substr(0, text.find(':'));
}

void print_class(std::ostream& out, const Selector& selector)
{
    print(out, selector.kind());
    print(out << '(', selector.key());
    print(out << ", ", selector.end());
    out << ')';
}

void print_class(std::ostream& out, const BucketSelector& selector)
{
    if (selector.is_whole_database()) {
        out << "whole_database()";
        return;
    }
    print(out << "in(", selector.bucket());
    print(out << ", ", selector.selector());
    out << ')';
}

void print_class(std::ostream& out, const Selectors& selectors)
{
    print(out, selectors.list());
}

}  // namespace keywatch::test::printing
