/* SPDX-License-Identifier: Apache-2.0 */
#include "skip/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "skip/fail.h"

static uint8_t *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = 0;
    if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
        size = ftell(file);
        rewind(file);
    }
    uint8_t *bytes = size > (long)sizeof(Elf32_Ehdr) ? malloc((size_t)size) : NULL;
    if (bytes == NULL || fread(bytes, 1, (size_t)size, file) != (size_t)size) {
        skip_fail(path, "cannot be read");
    }
    fclose(file);
    return bytes;
}

void program_read(struct program *program, const char *path)
{
    *program = (struct program){.file = read_file(path)};
    const Elf32_Ehdr *header = (const Elf32_Ehdr *)(const void *)program->file;
    const Elf32_Shdr *sections =
        (const Elf32_Shdr *)(const void *)(program->file + header->e_shoff);
    program->entry = header->e_entry;
    for (unsigned i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type == SHT_SYMTAB) {
            program->symbols =
                (const Elf32_Sym *)(const void *)(program->file + sections[i].sh_offset);
            program->symbol_count = sections[i].sh_size / sizeof(Elf32_Sym);
            program->names = (const char *)program->file + sections[sections[i].sh_link].sh_offset;
        }
    }
    if (program->symbols == NULL) {
        skip_fail(path, "has no symbols");
    }
}

void program_free(struct program *program)
{
    free(program->file);
    *program = (struct program){0};
}

void program_load(struct program *program, uint8_t *memory, size_t size)
{
    const Elf32_Ehdr *header = (const Elf32_Ehdr *)(const void *)program->file;
    const Elf32_Phdr *parts = (const Elf32_Phdr *)(const void *)(program->file + header->e_phoff);
    for (unsigned i = 0; i < header->e_phnum; i++) {
        if (parts[i].p_type != PT_LOAD) {
            continue;
        }
        if (parts[i].p_memsz > size || parts[i].p_vaddr > size - parts[i].p_memsz) {
            skip_fail("the program", "does not fit");
        }
        memcpy(memory + parts[i].p_vaddr, program->file + parts[i].p_offset, parts[i].p_filesz);
        if ((parts[i].p_flags & PF_W) != 0) {
            program->data = parts[i].p_vaddr;
            program->data_end = parts[i].p_vaddr + parts[i].p_memsz;
        }
    }
}

const Elf32_Sym *program_symbol(const struct program *program, const char *name)
{
    for (size_t i = 0; i < program->symbol_count; i++) {
        if (strcmp(program->names + program->symbols[i].st_name, name) == 0) {
            return &program->symbols[i];
        }
    }
    skip_fail(name, "is not in the program");
}

const char *program_function(const struct program *program, uint32_t address)
{
    for (size_t i = 0; i < program->symbol_count; i++) {
        const Elf32_Sym *symbol = &program->symbols[i];
        const uint32_t start = symbol->st_value & ~1u;
        if (ELF32_ST_TYPE(symbol->st_info) == STT_FUNC && address >= start &&
            address < start + symbol->st_size) {
            return program->names + symbol->st_name;
        }
    }
    return "";
}
