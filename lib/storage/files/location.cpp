// SPDX-License-Identifier: BSL-1.0
#include "location.hpp"

#include "storage/failure.hpp"
#include "values/failure.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <vector>

namespace keywatch::storage {

Location find_location(const std::string& path, leveldb::Env* base, Error refused)
{
    if (base != nullptr) {
        return {path, base, dynamic_cast<Disk*>(base), nullptr};
    }
    const auto files = std::make_shared<DiskEnv>();
    return {absolute_path(path, refused), files.get(), files.get(), files};
}

std::string absolute_path(const std::string& path, Error refused)
{
    std::error_code error;
    const std::filesystem::path absolute = std::filesystem::absolute(path, error);
    if (error) {
        fail(refused, path + " cannot be made absolute: " + error.message());
    }
    return absolute.string();
}

std::string parent_of(std::string path)
{
    while (path.size() > 1 && path.back() == '/') {
        path.pop_back();
    }
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
}

std::set<std::string> children_of(const Location& location)
{
    std::vector<std::string> names;
    check_open(location.env->GetChildren(location.path, &names));
    std::set<std::string> found(names.begin(), names.end());
    found.erase(".");
    found.erase("..");
    return found;
}

void sync_directory(const Location& location)
{
    if (location.disk != nullptr) {
        check_open(location.disk->sync_directory(location.path));
    }
}

std::string read_small_file(leveldb::Env& env, const std::string& name)
{
    constexpr std::uint64_t most_bytes = 4096;
    std::uint64_t size = 0;
    check_open(env.GetFileSize(name, &size));
    if (size > most_bytes) {
        fail(Error::damaged, name + " is longer than what keywatch or LevelDB write there");
    }
    std::string text;
    check_open(leveldb::ReadFileToString(&env, name, &text));
    return text;
}

void write_synced(leveldb::Env& env, const std::string& name, const std::string& text)
{
    leveldb::WritableFile* raw = nullptr;
    check_open(env.NewWritableFile(name, &raw));
    const std::unique_ptr<leveldb::WritableFile> file(raw);
    check_open(file->Append(text));
    check_open(file->Sync());
    check_open(file->Close());
}

}  // namespace keywatch::storage
