// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "system_monitor/audit_file.hpp"
#include "system_monitor/audit_line.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>

using namespace system_monitor;
using keywatch::Position;
using keywatch::test::read_file;
using keywatch::test::TemporaryDirectory;
using keywatch::test::write_file;

namespace {

Position at(keywatch::Revision revision)
{
    Position position;
    position.history.bytes[0] = 0xab;
    position.revision = revision;
    return position;
}

std::string line(keywatch::Revision revision, const std::string& text = "x")
{
    return audit_note(at(revision), text);
}

keywatch::Revision revision_of(const AuditFile& file)
{
    return file.position() ? file.position()->revision : 0;
}

/// Opens a file with this text, and checks how much of it is kept, and where the audit continues.
void check_repair(const std::string& text, std::size_t kept, keywatch::Revision revision)
{
    const TemporaryDirectory directory;
    const std::string path = directory / "audit";
    write_file(path, text);
    AuditFile file(path);
    BOOST_TEST(revision_of(file) == revision);
    BOOST_TEST(file.torn_bytes() == text.size() - kept);
    BOOST_TEST(read_file(path) == text.substr(0, kept));
    file.append(line(revision + 1), at(revision + 1));
    BOOST_TEST(read_file(path) == text.substr(0, kept) + line(revision + 1) + '\n');
}

void check_refused(const std::string& text)
{
    const TemporaryDirectory directory;
    const std::string path = directory / "audit";
    write_file(path, text);
    BOOST_CHECK_THROW(AuditFile{path}, std::runtime_error);
    BOOST_TEST(read_file(path) == text);
}

}  // namespace

// The audit file of the sample `system_monitor`: torn lines and their repair.
BOOST_AUTO_TEST_SUITE(test_audit_file)

BOOST_AUTO_TEST_CASE(every_possible_tear_of_the_last_line_is_repaired)
{
    const std::string whole = line(6) + '\n' + line(7) + '\n';
    const std::string torn = line(8) + '\n';
    for (std::size_t bytes = 0; bytes < torn.size(); ++bytes) {
        check_repair(whole + torn.substr(0, bytes), whole.size(), 7);
    }
    check_repair(whole + torn, whole.size() + torn.size(), 8);
}

BOOST_AUTO_TEST_CASE(a_torn_first_line_leaves_an_empty_file)
{
    const std::string torn = line(1) + '\n';
    for (std::size_t bytes = 0; bytes < torn.size(); ++bytes) {
        check_repair(torn.substr(0, bytes), 0, 0);
    }
}

BOOST_AUTO_TEST_CASE(a_last_line_that_is_no_json_is_torn_too)
{
    const std::string whole = line(7) + '\n';
    check_repair(whole + line(8).substr(0, 20) + '\n', whole.size(), 7);
    check_repair(whole + "\n", whole.size(), 7);
    check_repair(whole + std::string(5000, '\0'), whole.size(), 7);
    check_repair(whole + "{\"revision\":8}\n", whole.size(), 7);
}

BOOST_AUTO_TEST_CASE(lines_longer_than_one_read_are_found)
{
    const std::string whole = line(6) + '\n' + line(7, std::string(300'000, 'y')) + '\n';
    check_repair(whole, whole.size(), 7);
    check_repair(whole + line(8, std::string(100'000, 'z')), whole.size(), 7);
}

BOOST_AUTO_TEST_CASE(a_file_of_another_kind_is_unchanged)
{
    check_refused("dear diary");
    check_refused("dear diary\n");
    check_refused("one\ntwo\nthree\n");
    check_refused(line(1) + "\ntwo\nthree\n");
    check_refused("[1]\n" + line(2).substr(0, 9));
}

BOOST_AUTO_TEST_CASE(only_one_can_have_it_open)
{
    const TemporaryDirectory directory;
    const AuditFile file(directory / "audit");
    BOOST_CHECK_THROW(AuditFile{directory / "audit"}, std::runtime_error);
}

BOOST_AUTO_TEST_CASE(the_newest_successor_is_continued)
{
    const TemporaryDirectory directory;
    {
        AuditFile file(directory / "audit");
        file.begin_successor();  // the successor of an empty file is the file itself
        BOOST_TEST(file.path().string() == directory / "audit");
        file.append(line(1), at(1));
        file.begin_successor();
        BOOST_TEST(file.path().string() == directory / "audit.1");
        BOOST_TEST(revision_of(file) == 0u);
        file.append(line(20), at(20));
        file.begin_successor();
        file.append(line(300), at(300));
    }
    const AuditFile file(directory / "audit");
    BOOST_TEST(file.path().string() == directory / "audit.2");
    BOOST_TEST(revision_of(file) == 300u);
    BOOST_TEST(read_file(directory / "audit") == line(1) + '\n');
    BOOST_TEST(read_file(directory / "audit.1") == line(20) + '\n');
}

BOOST_AUTO_TEST_SUITE_END()
