/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine is Unicorn's, and there are two of it with one memory. The first walks along the way
 * and counts its steps; at the places where the machine is to be disturbed it waits, while the
 * second takes over its registers and runs to the end. Then the memory is again what it was at the
 * place: what runs is a private copy of a file, of which the system forgets at a word what was
 * written.
 */
#include "skip/machine.h"

#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>
#include <unistd.h>

#include "skip/arithmetic.h"
#include "skip/fail.h"
#include "skip/program.h"

#define PAGE 4096u

/* The memory, part after part: the program and behind it its variables, the stack, the flash. */
#define CODE_BASE 0u
#define CODE_SIZE 0x10000u
#define STACK_BASE 0x20000000u
#define STACK_SIZE 0x4000u
#define FLASH_BASE 0x10000000u
#define STACK_AT CODE_SIZE
#define FLASH_AT (STACK_AT + STACK_SIZE)
#define MEMORY_SIZE (FLASH_AT + MACHINE_FLASH_SIZE)
#define STACK_PATTERN 0xA5

#define NOWHERE 0xFFFFFFFEu
#define NEVER UINT64_MAX
#define PLACES_MAX (4 * (CODE_SIZE / 2) + 1)

/* Who takes as many halfwords of instructions for each that an undisturbed run takes is lost:
   outside of the arithmetic, and in it, where the steps do not depend on the numbers. */
#define PATIENCE 10u
#define PATIENCE_IN_ARITHMETIC 4u

#define IT_BLOCK_MAX 4u
#define XPSR_THUMB 0x01000000u
#define XPSR_IT_LOW 0x06000000u /* bits 26:25 hold the lowest two of its state, */
#define XPSR_IT_HIGH 0xFC00u    /* 15:10 the rest */

#define REGISTERS 16 /* r0 to r12, sp, lr, xPSR; the PC goes apart */

/* The arrivals at an instruction. */
struct arrivals {
    uint64_t first, last;
    bool any;
};

/* The call of an arithmetic function that is under way. */
struct call {
    const struct arithmetic_function *function; /* NULL: none */
    uint32_t return_to, stack;
    uint32_t expected;
    bool is_expected;
    uint64_t began;
};

struct machine_own {
    struct program program;
    uint32_t halt[2]; /* where the program's endless loops are */
    unsigned halt_count;
    uint32_t curves;
    uint32_t entries[4]; /* of the arithmetic functions */

    uint8_t *at_reset;
    uint8_t *here; /* at the place where the walker is: what the running copy falls back to */
    uint8_t *running;

    uc_engine *walker;
    uc_context *walker_at_reset;
    uint64_t steps;
    bool traces;                       /* it makes the list of places; else it visits them */
    const struct machine_place *place; /* the next, or the one that is visited */
    bool is_kept;                      /* what was written up to there */
    machine_visit_fn *visit;
    void *context;
    struct call call;
    uint64_t steps_in_arithmetic, steps_of_longest_call;
    struct arrivals arrivals[2][CODE_SIZE / 2];

    uc_engine *runner;
    bool takes_each_step; /* also those of the arithmetic */
    uint32_t resume_at;
    bool resumes;
    uint64_t halfwords, budget;
    uint64_t patience, patience_in_arithmetic;

    struct machine_place places[PLACES_MAX];
};

static void need(uc_err err, const char *what)
{
    if (err != UC_ERR_OK) {
        skip_fail(what, uc_strerror(err));
    }
}

static uint32_t get(uc_engine *engine, int number)
{
    uint32_t value;
    need(uc_reg_read(engine, number, &value), "a register");
    return value;
}

static void set(uc_engine *engine, int number, uint32_t value)
{
    need(uc_reg_write(engine, number, &value), "a register");
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static void *map(size_t size, int flags, int file)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, file, 0);
    if (memory == MAP_FAILED) {
        skip_fail("memory", "there is none");
    }
    return memory;
}

static void make_memory(struct machine_own *own)
{
    const int file = memfd_create("skip", 0);
    if (file < 0 || ftruncate(file, MEMORY_SIZE) != 0) {
        skip_fail("memory", "there is none");
    }
    own->at_reset = map(MEMORY_SIZE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    own->here = map(MEMORY_SIZE, MAP_SHARED, file);
    own->running = map(MEMORY_SIZE, MAP_PRIVATE, file);
    (void)close(file);
    memset(own->at_reset + STACK_AT, STACK_PATTERN, STACK_SIZE);
}

/* What was written since is as it was. */
static void fall_back(struct machine_own *own)
{
    if (madvise(own->running, MEMORY_SIZE, MADV_DONTNEED) != 0) {
        skip_fail("memory", "cannot be forgotten");
    }
}

/* What was written stays. */
static void keep(struct machine_own *own)
{
    for (size_t at = 0; at < MEMORY_SIZE; at += PAGE) {
        if (memcmp(own->here + at, own->running + at, PAGE) != 0) {
            memcpy(own->here + at, own->running + at, PAGE);
        }
    }
    fall_back(own);
}

static void map_memory(struct machine_own *own, uc_engine *engine)
{
    const uint32_t data = own->program.data / PAGE * PAGE;
    const uint32_t to_run = UC_PROT_READ | UC_PROT_EXEC;
    const uint32_t to_write = UC_PROT_READ | UC_PROT_WRITE;
    need(uc_mem_map_ptr(engine, CODE_BASE, data, to_run, own->running), "memory");
    need(uc_mem_map_ptr(engine, data, CODE_SIZE - data, to_write, own->running + data), "memory");
    need(uc_mem_map_ptr(engine, STACK_BASE, STACK_SIZE, to_write, own->running + STACK_AT),
         "memory");
    need(uc_mem_map_ptr(engine, FLASH_BASE, MACHINE_FLASH_SIZE, to_write, own->running + FLASH_AT),
         "memory");
}

/* ---- Instructions ---------------------------------------------------------------------------- */

static uint16_t halfword(const struct machine_own *own, uint32_t address)
{
    return (uint16_t)(own->at_reset[address] | own->at_reset[address + 1] << 8);
}

static unsigned size_of(const struct machine_own *own, uint32_t address)
{
    return halfword(own, address) >= 0xE800 ? 4 : 2;
}

static bool came_through(const struct machine_own *own, uint32_t address)
{
    return own->arrivals[0][address / 2].any || own->arrivals[1][address / 2].any;
}

/* What is left of an IT block's state when the machine has gone from one instruction to another, or
   has passed over what is between. */
static uint32_t it_advance(const struct machine_own *own, uint32_t state, uint32_t from,
                           uint32_t to)
{
    while (from < to && state != 0) {
        from += size_of(own, from);
        state = (state & 0x7) == 0 ? 0 : (state & 0xE0) | (state << 1 & 0x1F);
    }
    return state;
}

/* The state of an IT block just before the instruction at `address`, which the machine came to one
   by one; 0 outside of such a block. */
static uint32_t it_state(const struct machine_own *own, uint32_t address)
{
    for (unsigned back = 2; back <= 2 + 4 * (IT_BLOCK_MAX - 1) && back <= address; back += 2) {
        const uint32_t start = address - back;
        const uint16_t it = halfword(own, start);
        if ((it & 0xFF00) == 0xBF00 && (it & 0xF) != 0 && came_through(own, start)) {
            return it_advance(own, it & 0xFF, start + 2, address);
        }
    }
    return 0;
}

static void set_it_state(uc_engine *engine, uint32_t state)
{
    uint32_t xpsr = get(engine, UC_ARM_REG_XPSR) & ~(XPSR_IT_LOW | XPSR_IT_HIGH);
    xpsr |= (state & 3) << 25 | (state >> 2) << 10;
    set(engine, UC_ARM_REG_XPSR, xpsr);
}

/* ---- Ends ------------------------------------------------------------------------------------ */

/* A machine that has decided to do nothing is in an endless loop: in that of the program, not in
   any other. */
static bool is_halt(const struct machine_own *own, uint64_t address)
{
    return (own->halt_count > 0 && own->halt[0] == address) ||
           (own->halt_count > 1 && own->halt[1] == address);
}

static void find_halts(struct machine_own *own)
{
    const Elf32_Sym *start = program_symbol(&own->program, "boot_start");
    for (uint32_t at = start->st_value & ~1u; at < start->st_value + start->st_size; at += 2) {
        if (halfword(own, at) == 0xE7FE) { /* a branch to itself */
            if (own->halt_count == 2) {
                skip_fail("boot_start", "has more endless loops than it should");
            }
            own->halt[own->halt_count++] = at;
        }
    }
}

static bool is_variable(const struct machine_own *own, uint32_t address)
{
    return (address >= own->program.data && address < own->program.data_end) ||
           (address >= STACK_BASE && address - STACK_BASE < STACK_SIZE);
}

static enum machine_end end_of(struct machine *machine, uc_err err)
{
    struct machine_own *own = machine->own;
    const uint32_t pc = get(own->runner, UC_ARM_REG_PC);
    machine->halfwords = own->halfwords;
    if (pc >= FLASH_BASE && pc - FLASH_BASE < MACHINE_FLASH_SIZE) {
        machine->booted = pc - FLASH_BASE;
        return MACHINE_BOOTED;
    }
    machine->strayed = pc;
    if (is_variable(own, pc) && (get(own->runner, UC_ARM_REG_XPSR) & XPSR_THUMB) != 0) {
        return MACHINE_STRAYED;
    }
    if (own->halfwords > own->budget) {
        return MACHINE_LOST;
    }
    return err == UC_ERR_OK && is_halt(own, pc) ? MACHINE_HALTED : MACHINE_CRASHED;
}

/* ---- The walker ------------------------------------------------------------------------------ */

static const struct arithmetic_function *entered(const struct machine_own *own, uint64_t address)
{
    for (unsigned i = 0; arithmetic_functions[i].symbol != NULL; i++) {
        if (own->entries[i] == address) {
            return &arithmetic_functions[i];
        }
    }
    return NULL;
}

static void begin_call(struct machine_own *own, const struct arithmetic_function *function)
{
    struct call *call = &own->call;
    call->function = function;
    call->return_to = get(own->walker, UC_ARM_REG_LR) & ~1u;
    call->stack = get(own->walker, UC_ARM_REG_SP);
    call->began = own->steps;
    call->is_expected = function == arithmetic_functions &&
                        function->work_out(own->walker, own->curves, &call->expected);
}

static void end_call(struct machine_own *own)
{
    const uint64_t steps = own->steps - own->call.began;
    if (own->call.is_expected && get(own->walker, UC_ARM_REG_R0) != own->call.expected) {
        skip_fail(own->call.function->symbol, "comes to something else here");
    }
    own->steps_in_arithmetic += steps;
    if (steps > own->steps_of_longest_call) {
        own->steps_of_longest_call = steps;
    }
    own->call.function = NULL;
}

static void note_arrival(struct machine_own *own, uint64_t address)
{
    struct arrivals *arrivals = &own->arrivals[own->call.function != NULL][address / 2];
    if (!arrivals->any) {
        arrivals->first = own->steps;
        arrivals->any = true;
    }
    arrivals->last = own->steps;
}

static void trace_step(struct machine_own *own, uint64_t address)
{
    const struct arithmetic_function *function = entered(own, address);
    if (own->call.function == NULL && function != NULL) {
        begin_call(own, function);
    } else if (own->call.function != NULL && address == own->call.return_to &&
               get(own->walker, UC_ARM_REG_SP) == own->call.stack) {
        end_call(own);
    }
    note_arrival(own, address);
}

/* The walk waits meanwhile, just before the instruction. */
static void visit_place(struct machine_own *own, uint64_t address)
{
    if (own->place->address != address) {
        skip_fail("the walk", "does not come to where it came before");
    }
    own->is_kept = false;
    own->visit(own->context, own->place);
    own->place++;
}

/* Called before each instruction. */
static void on_step(uc_engine *engine, uint64_t address, uint32_t size, void *context)
{
    struct machine_own *own = context;
    (void)size;
    if (is_halt(own, address)) {
        uc_emu_stop(engine);
    } else if (own->traces) {
        trace_step(own, address);
    } else if (own->place->steps == own->steps) {
        visit_place(own, address);
    }
    own->steps++;
}

static void reset(struct machine *machine)
{
    struct machine_own *own = machine->own;
    memcpy(own->here, own->at_reset, MEMORY_SIZE);
    fall_back(own);
    need(uc_context_restore(own->walker, own->walker_at_reset), "reset");
    own->steps = 0;
    own->call.function = NULL;
}

static void add_place(struct machine_own *own, size_t *count, uint32_t index, bool in_arithmetic,
                      uint64_t steps)
{
    own->places[(*count)++] = (struct machine_place){
        .address = 2 * index, .steps = steps, .in_arithmetic = in_arithmetic};
}

static int compare_places(const void *a, const void *b)
{
    const struct machine_place *x = a;
    const struct machine_place *y = b;
    return (x->steps > y->steps) - (x->steps < y->steps);
}

static size_t list_places(struct machine_own *own)
{
    size_t count = 0;
    for (unsigned in = 0; in < 2; in++) {
        for (uint32_t i = 0; i < CODE_SIZE / 2; i++) {
            const struct arrivals *arrivals = &own->arrivals[in][i];
            if (arrivals->any) {
                add_place(own, &count, i, in != 0, arrivals->first);
            }
            if (arrivals->any && arrivals->last != arrivals->first) {
                add_place(own, &count, i, in != 0, arrivals->last);
            }
        }
    }
    qsort(own->places, count, sizeof *own->places, compare_places);
    return count;
}

static void walk(struct machine *machine, bool traces)
{
    struct machine_own *own = machine->own;
    reset(machine);
    own->traces = traces;
    (void)uc_emu_start(own->walker, own->program.entry | 1, NOWHERE, 0, 0);
}

void machine_walk(struct machine *machine, machine_visit_fn *visit, void *context)
{
    struct machine_own *own = machine->own;
    memset(own->arrivals, 0, sizeof own->arrivals);
    own->steps_in_arithmetic = 0;
    own->steps_of_longest_call = 0;
    walk(machine, true);
    own->patience_in_arithmetic = PATIENCE_IN_ARITHMETIC * own->steps_of_longest_call;
    own->patience = PATIENCE * (own->steps - own->steps_in_arithmetic);
    const size_t count = list_places(own);
    own->places[count].steps = NEVER;
    own->place = own->places;
    own->visit = visit;
    own->context = context;
    walk(machine, false);
    if (own->place != own->places + count) {
        skip_fail("the walk", "ends before it ended before");
    }
}

/* ---- The runner ------------------------------------------------------------------------------ */

/* A call of arithmetic: its result is worked out. */
static void on_arithmetic(uc_engine *engine, uint64_t address, uint32_t size, void *context)
{
    struct machine_own *own = context;
    uint32_t result;
    (void)size;
    if (own->takes_each_step || !entered(own, address)->work_out(engine, own->curves, &result)) {
        own->budget += own->patience_in_arithmetic;
        return;
    }
    set(engine, UC_ARM_REG_R0, result);
    own->resume_at = get(engine, UC_ARM_REG_LR) & ~1u;
    own->resumes = true;
    uc_emu_stop(engine);
}

static void on_block(uc_engine *engine, uint64_t address, uint32_t size, void *context)
{
    struct machine_own *own = context;
    (void)address;
    own->halfwords += size / 2;
    if (own->halfwords > own->budget) {
        uc_emu_stop(engine);
    }
}

static void on_halt(uc_engine *engine, uint64_t address, uint32_t size, void *context)
{
    (void)address;
    (void)size;
    (void)context;
    uc_emu_stop(engine);
}

static enum machine_end run_from(struct machine *machine, uint32_t pc, uint32_t state)
{
    struct machine_own *own = machine->own;
    uc_err err;
    do {
        own->resumes = false;
        set_it_state(own->runner, state);
        err = uc_emu_start(own->runner, pc | 1, NOWHERE, 0, 0);
        pc = own->resume_at;
        state = 0;
    } while (own->resumes && err == UC_ERR_OK);
    return end_of(machine, err);
}

static void copy_registers(const struct machine_own *own)
{
    static int numbers[REGISTERS] = {
        UC_ARM_REG_R0,  UC_ARM_REG_R1, UC_ARM_REG_R2,  UC_ARM_REG_R3,
        UC_ARM_REG_R4,  UC_ARM_REG_R5, UC_ARM_REG_R6,  UC_ARM_REG_R7,
        UC_ARM_REG_R8,  UC_ARM_REG_R9, UC_ARM_REG_R10, UC_ARM_REG_R11,
        UC_ARM_REG_R12, UC_ARM_REG_SP, UC_ARM_REG_LR,  UC_ARM_REG_XPSR};
    for (size_t i = 0; i < REGISTERS; i++) {
        set(own->runner, numbers[i], get(own->walker, numbers[i]));
    }
}

enum machine_end machine_run(struct machine *machine)
{
    struct machine_own *own = machine->own;
    reset(machine);
    copy_registers(own);
    own->takes_each_step = true;
    own->halfwords = 0;
    own->budget = UINT64_MAX / 2;
    const enum machine_end end = run_from(machine, own->program.entry, 0);
    own->takes_each_step = false;
    fall_back(own);
    return end;
}

enum machine_end machine_skip(struct machine *machine, unsigned bytes)
{
    struct machine_own *own = machine->own;
    const uint32_t address = own->place->address;
    if (!own->is_kept) {
        keep(own);
        own->is_kept = true;
    }
    copy_registers(own);
    own->halfwords = 0;
    own->budget = own->patience + (own->place->in_arithmetic ? own->patience_in_arithmetic : 0);
    const enum machine_end end =
        run_from(machine, address + bytes,
                 it_advance(own, it_state(own, address), address, address + bytes));
    fall_back(own);
    return end;
}

/* ---- Making one ------------------------------------------------------------------------------ */

static void add_hook(struct machine_own *own, uc_engine *engine, int type,
                     uc_cb_hookcode_t callback, uint32_t begin, uint32_t end)
{
    uc_hook hook;
    void *function;
    memcpy(&function, &callback, sizeof function);
    need(uc_hook_add(engine, &hook, type, function, own, begin, end), "a hook");
}

static uc_engine *make_engine(struct machine_own *own)
{
    uc_engine *engine;
    need(uc_open(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS, &engine), "the processor");
    need(uc_ctl_set_cpu_model(engine, UC_CPU_ARM_CORTEX_M4), "the processor");
    map_memory(own, engine);
    return engine;
}

static void make_walker(struct machine_own *own)
{
    own->walker = make_engine(own);
    set(own->walker, UC_ARM_REG_SP, STACK_BASE + STACK_SIZE);
    need(uc_context_alloc(own->walker, &own->walker_at_reset), "reset");
    need(uc_context_save(own->walker, own->walker_at_reset), "reset");
    add_hook(own, own->walker, UC_HOOK_CODE, on_step, CODE_BASE, CODE_SIZE - 1);
}

static void make_runner(struct machine_own *own)
{
    own->runner = make_engine(own);
    for (unsigned i = 0; arithmetic_functions[i].symbol != NULL; i++) {
        add_hook(own, own->runner, UC_HOOK_CODE, on_arithmetic, own->entries[i], own->entries[i]);
    }
    for (unsigned i = 0; i < own->halt_count; i++) {
        add_hook(own, own->runner, UC_HOOK_CODE, on_halt, own->halt[i], own->halt[i]);
    }
    add_hook(own, own->runner, UC_HOOK_BLOCK, on_block, 1, 0);
}

static void *zeroed(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL) {
        skip_fail("memory", "there is none");
    }
    return memory;
}

struct machine *machine_new(const char *path)
{
    struct machine *machine = zeroed(sizeof *machine);
    struct machine_own *own = zeroed(sizeof *own);

    machine->own = own;
    make_memory(own);
    machine->flash = own->at_reset + FLASH_AT;
    program_read(&own->program, path);
    program_load(&own->program, own->at_reset, CODE_SIZE);
    own->curves = program_symbol(&own->program, ARITHMETIC_CURVES)->st_value;
    for (unsigned i = 0; arithmetic_functions[i].symbol != NULL; i++) {
        own->entries[i] =
            program_symbol(&own->program, arithmetic_functions[i].symbol)->st_value & ~1u;
    }
    find_halts(own);
    make_walker(own);
    make_runner(own);
    return machine;
}

void machine_free(struct machine *machine)
{
    struct machine_own *own = machine->own;
    uc_context_free(own->walker_at_reset);
    uc_close(own->walker);
    uc_close(own->runner);
    program_free(&own->program);
    (void)munmap(own->at_reset, MEMORY_SIZE);
    (void)munmap(own->here, MEMORY_SIZE);
    (void)munmap(own->running, MEMORY_SIZE);
    free(own);
    free(machine);
}

uint8_t *machine_symbol(struct machine *machine, const char *name, uint32_t *size)
{
    const Elf32_Sym *symbol = program_symbol(&machine->own->program, name);
    *size = symbol->st_size;
    return machine->own->at_reset + symbol->st_value;
}

const char *machine_function(const struct machine *machine, uint32_t address)
{
    return program_function(&machine->own->program, address);
}
