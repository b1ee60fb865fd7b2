// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace keywatch::test {

/// The address range of the code of a function or of a library in this process.
struct CodeRange {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;

    bool holds(const void* address) const noexcept
    {
        const auto at = reinterpret_cast<std::uintptr_t>(address);
        return begin <= at && at < end;
    }
};

/// The load address and code of the library whose file name contains this part, or of the program
/// if the part is empty.
struct Loaded {
    std::string_view part;
    std::uintptr_t base = 0;
    CodeRange code;
};

inline Loaded loaded(std::string_view part) noexcept
{
    Loaded found{part, 0, {}};
    const auto look = [](dl_phdr_info* info, std::size_t, void* place) {
        Loaded& wanted = *static_cast<Loaded*>(place);
        const std::string_view name = info->dlpi_name;
        if (wanted.part.empty() ? !name.empty() : name.find(wanted.part) == name.npos) {
            return 0;
        }
        wanted.base = info->dlpi_addr;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
            const ElfW(Phdr)& each = info->dlpi_phdr[i];
            if (each.p_type == PT_LOAD && (each.p_flags & PF_X) != 0) {
                const std::uintptr_t begin = info->dlpi_addr + each.p_vaddr;
                wanted.code = {begin, begin + each.p_memsz};
            }
        }
        return 1;
    };
    ::dl_iterate_phdr(look, &found);
    return found;
}

/// Returns the range of the function of this program whose mangled name contains this part,
/// according to the program's own symbol table; empty if there is none.
inline CodeRange range_of_function(std::string_view part) noexcept
{
    CodeRange found;
    const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat status{};
    if (file < 0 || ::fstat(file, &status) != 0) {
        return found;
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    ::close(file);
    if (mapped == MAP_FAILED) {
        return found;
    }
    const auto* const bytes = static_cast<const char*>(mapped);
    const auto& header = *reinterpret_cast<const ElfW(Ehdr)*>(bytes);
    const auto* const sections = reinterpret_cast<const ElfW(Shdr)*>(bytes + header.e_shoff);
    const std::uintptr_t base = loaded({}).base;
    for (std::size_t i = 0; i < header.e_shnum; ++i) {
        const ElfW(Shdr)& table = sections[i];
        if (table.sh_type != SHT_SYMTAB) {
            continue;
        }
        const char* const names = bytes + sections[table.sh_link].sh_offset;
        const auto* const symbols = reinterpret_cast<const ElfW(Sym)*>(bytes + table.sh_offset);
        for (std::size_t each = 0; each < table.sh_size / sizeof(ElfW(Sym)); ++each) {
            const ElfW(Sym)& symbol = symbols[each];
            const std::string_view name = names + symbol.st_name;
            if (symbol.st_size != 0 && name.find(part) != name.npos && !name.ends_with(".cold")) {
                found = {base + symbol.st_value, base + symbol.st_value + symbol.st_size};
            }
        }
    }
    ::munmap(mapped, size);
    return found;
}

}  // namespace keywatch::test
