/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine is Unicorn's. Signatures take most of its time and depend on nothing but what they are
 * given: unless the disturbance is in the arithmetic itself, a check that was made before is not made
 * again, and its result is put in its place.
 */
#include "skip/machine.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unicorn/unicorn.h>

#define CODE_BASE 0u
#define CODE_SIZE 0x20000u /* the program, and behind it its variables */
#define PAGE 4096u
#define FLASH_BASE 0x10000000u
#define STACK_BASE 0x20000000u
#define STACK_SIZE 0x10000u
#define NOWHERE 0xFFFFFFFEu

/* Halfwords of instructions: several times what a boot takes without signatures, and what each check
   of one takes. Who needs more is lost. */
#define BUDGET 4000000u
#define BUDGET_OF_CHECK 200000000u

#define CHECK_FUNCTION "br_ecdsa_i31_vrfy_raw"
#define CHECKS_MAX 64
#define INPUT_MAX 256
#define STEPS_MAX (CODE_SIZE / 2)

#define IT_BLOCK_MAX 4u
#define XPSR_IT_LOW 0x06000000u /* bits 26:25 hold the lowest two of its state, */
#define XPSR_IT_HIGH 0xFC00u    /* 15:10 the rest */

/* A check of a signature that was made once. */
struct check {
    uint8_t input[INPUT_MAX];
    size_t len;
    uint32_t result;
};

struct function {
    const char *name;
    uint32_t address, size;
};

struct machine_own {
    uc_engine *engine;
    uc_context *at_reset;
    uint8_t *file;
    const Elf32_Sym *symbols;
    size_t symbol_count;
    const char *names;
    uint32_t entry;
    uint32_t data, data_end; /* what is written while it runs, besides flash and stack */
    uint8_t *code;           /* the memory at CODE_BASE */
    uint8_t *data_at_reset;
    uint8_t *flash; /* what the running machine has in it */
    uint8_t *stack;

    struct check checks[CHECKS_MAX];
    size_t check_count;
    struct check pending; /* its result is awaited at this address, on this stack */
    uint32_t pending_return, pending_stack;
    bool knows_checks; /* whether they may be used in this run before the disturbance, too */

    const struct machine_skip *skip;
    unsigned hits;
    bool has_skipped;
    uint32_t resume_at;
    bool resumes;
    bool is_over; /* the budget */
    uint64_t halfwords;
    uint64_t budget;

    uint32_t hits_of[STEPS_MAX];
    struct machine_step steps[STEPS_MAX];
};

static _Noreturn void give_up(const char *what, uc_err err)
{
    fprintf(stderr, "skip: %s: %s\n", what, uc_strerror(err));
    exit(EXIT_FAILURE);
}

static void need(uc_err err, const char *what)
{
    if (err != UC_ERR_OK) {
        give_up(what, err);
    }
}

static void *allocate(size_t size)
{
    void *memory = aligned_alloc(4096, size);
    if (memory == NULL) {
        give_up("memory", UC_ERR_NOMEM);
    }
    memset(memory, 0, size);
    return memory;
}

/* ---- The program ----------------------------------------------------------------------------- */

static uint8_t *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = 0;
    if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
        size = ftell(file);
        rewind(file);
    }
    uint8_t *bytes = size > 0 ? malloc((size_t)size) : NULL;
    if (bytes == NULL || fread(bytes, 1, (size_t)size, file) != (size_t)size) {
        give_up(path, UC_ERR_RESOURCE);
    }
    fclose(file);
    return bytes;
}

static void load(struct machine_own *own)
{
    const Elf32_Ehdr *header = (const Elf32_Ehdr *)(const void *)own->file;
    const Elf32_Phdr *parts = (const Elf32_Phdr *)(const void *)(own->file + header->e_phoff);
    const Elf32_Shdr *sections = (const Elf32_Shdr *)(const void *)(own->file + header->e_shoff);
    own->entry = header->e_entry;
    for (unsigned i = 0; i < header->e_phnum; i++) {
        if (parts[i].p_type == PT_LOAD) {
            memcpy(own->code + parts[i].p_vaddr, own->file + parts[i].p_offset, parts[i].p_filesz);
            if ((parts[i].p_flags & PF_W) != 0) {
                own->data = parts[i].p_vaddr;
                own->data_end = parts[i].p_vaddr + parts[i].p_memsz;
            }
        }
    }
    for (unsigned i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type == SHT_SYMTAB) {
            own->symbols = (const Elf32_Sym *)(const void *)(own->file + sections[i].sh_offset);
            own->symbol_count = sections[i].sh_size / sizeof(Elf32_Sym);
            own->names = (const char *)own->file + sections[sections[i].sh_link].sh_offset;
        }
    }
}

static const Elf32_Sym *find_symbol(const struct machine_own *own, const char *name)
{
    for (size_t i = 0; i < own->symbol_count; i++) {
        if (strcmp(own->names + own->symbols[i].st_name, name) == 0) {
            return &own->symbols[i];
        }
    }
    fprintf(stderr, "skip: the program has no %s\n", name);
    exit(EXIT_FAILURE);
}

uint8_t *machine_symbol(struct machine *machine, const char *name, uint32_t *size)
{
    const Elf32_Sym *symbol = find_symbol(machine->own, name);
    *size = symbol->st_size;
    return machine->own->code + symbol->st_value;
}

const char *machine_function(const struct machine *machine, uint32_t address)
{
    const struct machine_own *own = machine->own;
    for (size_t i = 0; i < own->symbol_count; i++) {
        const Elf32_Sym *symbol = &own->symbols[i];
        const uint32_t start = symbol->st_value & ~1u;
        if (ELF32_ST_TYPE(symbol->st_info) == STT_FUNC && address >= start &&
            address < start + symbol->st_size) {
            return own->names + symbol->st_name;
        }
    }
    return "";
}

bool machine_is_crypto(const struct machine *machine, uint32_t address)
{
    static const char *const own_names[] = {"point_",   "api_", "run_code",
                                            "divrem16", "GT",   "sha2small_out"};
    const char *name = machine_function(machine, address);
    for (size_t i = 0; i < sizeof own_names / sizeof *own_names; i++) {
        if (strncmp(name, own_names[i], strlen(own_names[i])) == 0) {
            return true;
        }
    }
    return strncmp(name, "br_", 3) == 0;
}

/* ---- Instructions ---------------------------------------------------------------------------- */

static uint16_t halfword(const struct machine_own *own, uint32_t address)
{
    return (uint16_t)(own->code[address] | own->code[address + 1] << 8);
}

static unsigned size_of(const struct machine_own *own, uint32_t address)
{
    return halfword(own, address) >= 0xE800 ? 4 : 2;
}

/* The state of an IT block just before the instruction at `address`, which the machine came to one by
   one; 0 outside of such a block. */
static uint32_t it_state(const struct machine_own *own, uint32_t address)
{
    for (unsigned back = 2; back <= 2 + 4 * (IT_BLOCK_MAX - 1) && back <= address; back += 2) {
        const uint32_t start = address - back;
        const uint16_t it = halfword(own, start);
        if ((it & 0xFF00) != 0xBF00 || (it & 0xF) == 0 || own->hits_of[start / 2] == 0) {
            continue;
        }
        uint32_t state = it & 0xFF;
        uint32_t at = start + 2;
        while (at < address && (state & 0xF) != 0) {
            at += size_of(own, at);
            state = (state & 0x7) == 0 ? 0 : (state & 0xE0) | (state << 1 & 0x1F);
        }
        if (at == address && (state & 0xF) != 0) {
            return state;
        }
    }
    return 0;
}

static void set_it_state(struct machine_own *own, uint32_t state)
{
    uint32_t xpsr;
    need(uc_reg_read(own->engine, UC_ARM_REG_XPSR, &xpsr), "xPSR");
    xpsr &= ~(XPSR_IT_LOW | XPSR_IT_HIGH);
    xpsr |= (state & 3) << 25 | (state >> 2) << 10;
    need(uc_reg_write(own->engine, UC_ARM_REG_XPSR, &xpsr), "xPSR");
}

/* ---- Checks of signatures -------------------------------------------------------------------- */

static uint32_t get_register(const struct machine_own *own, int number)
{
    uint32_t value;
    need(uc_reg_read(own->engine, number, &value), "a register");
    return value;
}

/* Adds what lies there. Returns false if that cannot be. */
static bool append(const struct machine_own *own, struct check *check, uint32_t address,
                   uint32_t len)
{
    if (len > INPUT_MAX - check->len ||
        uc_mem_read(own->engine, address, check->input + check->len, len) != UC_ERR_OK) {
        return false;
    }
    check->len += len;
    return true;
}

static bool append_number(struct check *check, uint32_t number)
{
    if (sizeof number > INPUT_MAX - check->len) {
        return false;
    }
    memcpy(check->input + check->len, &number, sizeof number);
    check->len += sizeof number;
    return true;
}

/* All that the result depends on: which arithmetic, the digest, the key, the signature. */
static bool read_input(const struct machine_own *own, struct check *check)
{
    const uint32_t arithmetic = get_register(own, UC_ARM_REG_R0);
    const uint32_t digest_len = get_register(own, UC_ARM_REG_R2);
    uint32_t key[3]; /* curve, point, its length */
    uint32_t signature[2];
    check->len = 0;
    return uc_mem_read(own->engine, get_register(own, UC_ARM_REG_R3), key, sizeof key) ==
               UC_ERR_OK &&
           uc_mem_read(own->engine, get_register(own, UC_ARM_REG_SP), signature,
                       sizeof signature) == UC_ERR_OK &&
           append_number(check, arithmetic) && append_number(check, digest_len) &&
           append(own, check, get_register(own, UC_ARM_REG_R1), digest_len) &&
           append_number(check, key[0]) && append_number(check, key[2]) &&
           append(own, check, key[1], key[2]) && append_number(check, signature[1]) &&
           append(own, check, signature[0], signature[1]);
}

static void leave(struct machine_own *own, uint32_t address)
{
    own->resume_at = address;
    own->resumes = true;
    uc_emu_stop(own->engine);
}

/* A check begins: its result is known, or noted when it comes. */
static void on_check(uc_engine *engine, uint64_t address, uint32_t size, void *context)
{
    struct machine_own *own = context;
    struct check check;
    (void)address;
    (void)size;
    own->budget += BUDGET_OF_CHECK;
    if (!(own->knows_checks || own->has_skipped) || !read_input(own, &check)) {
        return;
    }
    for (size_t i = 0; i < own->check_count; i++) {
        if (own->checks[i].len == check.len &&
            memcmp(own->checks[i].input, check.input, check.len) == 0) {
            need(uc_reg_write(engine, UC_ARM_REG_R0, &own->checks[i].result), "r0");
            own->budget -= BUDGET_OF_CHECK;
            leave(own, get_register(own, UC_ARM_REG_LR) & ~1u);
            return;
        }
    }
    own->pending = check;
    own->pending_return = get_register(own, UC_ARM_REG_LR) & ~1u;
    own->pending_stack = get_register(own, UC_ARM_REG_SP);
}

/* Called at each block: notes a result, and watches over the budget. */
static void on_block(uc_engine *engine, uint64_t address, uint32_t size, void *context)
{
    struct machine_own *own = context;
    own->halfwords += size / 2;
    if (own->halfwords > own->budget) {
        own->is_over = true;
        uc_emu_stop(engine);
    }
    if (address == own->pending_return && own->pending_return != 0 &&
        get_register(own, UC_ARM_REG_SP) == own->pending_stack) {
        own->pending_return = 0;
        own->pending.result = get_register(own, UC_ARM_REG_R0);
        if (own->check_count < CHECKS_MAX) {
            own->checks[own->check_count++] = own->pending;
        }
    }
}

/* ---- Running --------------------------------------------------------------------------------- */

static void on_skip(uc_engine *engine, uint64_t address, uint32_t size, void *context)
{
    struct machine_own *own = context;
    (void)engine;
    (void)size;
    if (address == own->skip->address && !own->has_skipped && own->hits++ == own->skip->hit) {
        own->has_skipped = true;
        leave(own, own->skip->address + own->skip->bytes);
    }
}

static void on_step(uc_engine *engine, uint64_t address, uint32_t size, void *context)
{
    struct machine_own *own = context;
    (void)engine;
    (void)size;
    if (address < CODE_SIZE) {
        own->hits_of[address / 2]++;
    }
}

static uc_hook add_hook(struct machine_own *own, int type, uc_cb_hookcode_t callback,
                        uint32_t begin, uint32_t end)
{
    uc_hook hook;
    void *function;
    memcpy(&function, &callback, sizeof function);
    need(uc_hook_add(own->engine, &hook, type, function, own, begin, end), "a hook");
    return hook;
}

/* What was translated without a hook would not call it, and the reverse. */
static void forget_translation(struct machine_own *own, uint32_t begin, uint32_t end)
{
    need(uc_ctl_remove_cache(own->engine, begin, end), "the translations");
}

static void reset(struct machine *machine)
{
    struct machine_own *own = machine->own;
    memcpy(own->code + own->data, own->data_at_reset, own->data_end - own->data);
    memcpy(own->flash, machine->flash, MACHINE_FLASH_SIZE);
    memset(own->stack, 0xA5, STACK_SIZE);
    need(uc_context_restore(own->engine, own->at_reset), "reset");
    own->hits = 0;
    own->has_skipped = false;
    own->resumes = false;
    own->is_over = false;
    own->halfwords = 0;
    own->budget = machine->budget;
    own->pending_return = 0;
}

static bool is_halted(const struct machine_own *own, uint32_t pc)
{
    return pc < CODE_SIZE && halfword(own, pc) == 0xE7FE; /* a branch to itself */
}

/* A machine that has decided to do nothing is in an endless loop: in that of the program, not in any
   other. */
static void on_halt(uc_engine *engine, uint64_t address, uint32_t size, void *context)
{
    const struct machine_own *own = context;
    (void)size;
    if (is_halted(own, (uint32_t)address)) {
        uc_emu_stop(engine);
    }
}

static enum machine_end run(struct machine *machine)
{
    struct machine_own *own = machine->own;
    uint32_t pc = own->entry | 1;
    uc_err err;
    do {
        own->resumes = false;
        err = uc_emu_start(own->engine, pc, NOWHERE, 0, 0);
        if (own->resumes) {
            pc = own->resume_at | 1;
            const bool in_block = own->has_skipped && own->hits != 0 && own->skip != NULL &&
                                  own->resume_at == own->skip->address + own->skip->bytes &&
                                  it_state(own, own->skip->address) != 0;
            set_it_state(own, in_block ? it_state(own, own->resume_at) : 0);
        }
    } while (own->resumes && err == UC_ERR_OK);
    machine->halfwords = own->halfwords;
    machine->skipped = own->has_skipped;
    need(uc_reg_read(own->engine, UC_ARM_REG_PC, &pc), "PC");
    if (pc >= FLASH_BASE && pc - FLASH_BASE < MACHINE_FLASH_SIZE) {
        machine->booted = pc - FLASH_BASE;
        return MACHINE_BOOTED;
    }
    if (own->is_over) {
        return MACHINE_LOST;
    }
    return err == UC_ERR_OK && is_halted(own, pc) ? MACHINE_HALTED : MACHINE_CRASHED;
}

enum machine_end machine_run(struct machine *machine, const struct machine_skip *skip)
{
    struct machine_own *own = machine->own;
    uc_hook hook = 0;
    reset(machine);
    own->skip = skip;
    own->knows_checks = skip == NULL || !machine_is_crypto(machine, skip->address);
    if (skip != NULL) {
        hook = add_hook(own, UC_HOOK_CODE, on_skip, skip->address, skip->address);
        forget_translation(own, skip->address, skip->address + 2);
    }
    const enum machine_end end = run(machine);
    if (skip != NULL) {
        need(uc_hook_del(own->engine, hook), "a hook");
        forget_translation(own, skip->address, skip->address + 2);
    }
    return end;
}

size_t machine_trace(struct machine *machine, const struct machine_step **steps)
{
    struct machine_own *own = machine->own;
    size_t count = 0;
    memset(own->hits_of, 0, sizeof own->hits_of);
    reset(machine);
    own->skip = NULL;
    own->knows_checks = false;
    const uc_hook hook = add_hook(own, UC_HOOK_CODE, on_step, CODE_BASE, CODE_SIZE - 1);
    forget_translation(own, CODE_BASE, CODE_SIZE);
    (void)run(machine);
    need(uc_hook_del(own->engine, hook), "a hook");
    forget_translation(own, CODE_BASE, CODE_SIZE);
    for (uint32_t i = 0; i < STEPS_MAX; i++) {
        if (own->hits_of[i] != 0) {
            own->steps[count++] = (struct machine_step){
                .address = 2 * i, .size = (uint8_t)size_of(own, 2 * i), .hits = own->hits_of[i]};
        }
    }
    *steps = own->steps;
    return count;
}

/* ---- Making one ------------------------------------------------------------------------------ */

struct machine *machine_new(const char *path)
{
    struct machine *machine = allocate(4096);
    struct machine_own *own = allocate((sizeof *own + 4095) / 4096 * 4096);
    const uint32_t stack = STACK_BASE + STACK_SIZE;
    machine->own = own;
    machine->flash = allocate(MACHINE_FLASH_SIZE);
    machine->budget = BUDGET;
    own->flash = allocate(MACHINE_FLASH_SIZE);
    own->code = allocate(CODE_SIZE);
    own->stack = allocate(STACK_SIZE);
    own->file = read_file(path);
    load(own);
    own->data_at_reset = malloc(own->data_end - own->data);
    if (own->data_at_reset == NULL) {
        give_up("memory", UC_ERR_NOMEM);
    }
    memcpy(own->data_at_reset, own->code + own->data, own->data_end - own->data);
    need(uc_open(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS, &own->engine), "the processor");
    need(uc_ctl_set_cpu_model(own->engine, UC_CPU_ARM_CORTEX_M4), "the processor");
    const uint32_t rom_end = own->data / PAGE * PAGE;
    need(uc_mem_map_ptr(own->engine, CODE_BASE, rom_end, UC_PROT_READ | UC_PROT_EXEC, own->code),
         "memory");
    need(uc_mem_map_ptr(own->engine, rom_end, CODE_SIZE - rom_end, UC_PROT_READ | UC_PROT_WRITE,
                        own->code + rom_end),
         "memory");
    need(uc_mem_map_ptr(own->engine, FLASH_BASE, MACHINE_FLASH_SIZE, UC_PROT_READ | UC_PROT_WRITE,
                        own->flash),
         "memory");
    need(uc_mem_map_ptr(own->engine, STACK_BASE, STACK_SIZE, UC_PROT_READ | UC_PROT_WRITE,
                        own->stack),
         "memory");
    need(uc_reg_write(own->engine, UC_ARM_REG_SP, &stack), "the stack");
    need(uc_context_alloc(own->engine, &own->at_reset), "reset");
    need(uc_context_save(own->engine, own->at_reset), "reset");
    const uint32_t check = find_symbol(own, CHECK_FUNCTION)->st_value & ~1u;
    (void)add_hook(own, UC_HOOK_CODE, on_check, check, check);
    const Elf32_Sym *start = find_symbol(own, "boot_start");
    for (uint32_t at = start->st_value & ~1u; at < start->st_value + start->st_size; at += 2) {
        if (is_halted(own, at)) {
            (void)add_hook(own, UC_HOOK_CODE, on_halt, at, at);
        }
    }
    (void)add_hook(own, UC_HOOK_BLOCK, on_block, 1, 0);
    return machine;
}

void machine_free(struct machine *machine)
{
    struct machine_own *own = machine->own;
    uc_context_free(own->at_reset);
    uc_close(own->engine);
    free(own->data_at_reset);
    free(own->file);
    free(own->stack);
    free(own->code);
    free(own->flash);
    free(machine->flash);
    free(own);
    free(machine);
}
