/* SPDX-License-Identifier: Apache-2.0 */
/*
 * updraft-power: cuts the power at every flash mutation of every story, on every kind of flash, and
 * sees that the board comes back. Two processes share the work; all chance comes from one seed.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "power/explore.h"
#include "power/scenario.h"
#include "power/ways.h"

#define FAILURES_SHOWN 3 /* of one story on one geometry */
#define RANDOM_RUNS 100  /* of one piece of work */
#define RANDOM_RUNS_QUICK 10
#define RANDOM_RUNS_STAGED 40 /* quick, of a story in which the bootloader moves what is staged */

/* Geometries that are small enough for every pair of cuts; on the others, random pairs and
   triples. */
#define PAIR_GEOMETRIES 3u
#define RANDOM_CUTS_FULL 150000u

#define QUICK_BYTES 10000000u    /* of images, over all cuts of a story */
#define QUICK_WAY_BYTES 4000000u /* the same of a story by a way in: the chain behind them is one */
#define QUICK_GAP 10u            /* at every tenth mutation at least */

static const struct effort quick = {.torn = 2, .nearly = 1, .weak = 1, .weak_later = 2};
static const struct effort quick_way = {.torn = 1, .nearly = 1, .weak = 1, .weak_later = 1};
static const struct effort full = {.torn = 8, .nearly = 2, .weak = 2, .weak_later = 6};
static const struct effort full_way = {.torn = 2, .nearly = 1, .weak = 1, .weak_later = 2};
static const struct effort for_pairs = {.torn = 1, .nearly = 1, .weak = 1, .weak_later = 1};

/* A story on a geometry, and how deep to go. */
struct work {
    const struct scenario *scenario;
    const struct geometry *geometry;
    unsigned depth;
};

struct options {
    const char *scenario, *geometry; /* NULL: all */
    char *replay;
    const char *json;
    uint64_t seed;
    uint64_t cuts; /* at least so many, by random plans after the complete ones */
    uint64_t jobs; /* processes */
    bool full;
};

/* Shared by the processes. */
struct totals {
    atomic_uint next;        /* work that nobody has begun */
    atomic_uint next_random; /* the same, at random */
    atomic_ullong cuts;
    atomic_ullong way_cuts[WAY_COUNT]; /* those of them by each way in */
    atomic_ullong staged_cuts;         /* those of boards with one place to run from */
    atomic_ullong random_cuts;         /* those in random plans */
    atomic_ullong random_staged_cuts;  /* those of both */
    atomic_ullong failures;
};

struct worker {
    const struct options *options;
    struct totals *totals;
    unsigned shown;
    bool random;
};

static int usage(FILE *to)
{
    fputs("usage: updraft-power [--full] [--cuts N] [--seed N] [--jobs N] [--json FILE]\n"
          "                     [--scenario NAME] [--geometry NAME]\n"
          "       updraft-power --replay SCENARIO:GEOMETRY:CUTS:SEED\n"
          "       updraft-power --list\n"
          "\n"
          "Cuts the power at every flash mutation of every scenario on every geometry, boots what "
          "is\n"
          "left, and finishes the update. --full tries more variations and every pair of cuts;\n"
          "--cuts goes on with random pairs and triples until there were N cuts.\n"
          "CUTS is \"none\", or up to three cuts joined by \"+\": the number of the mutation since "
          "the\n"
          "power came, the way of failing, and a variation of it, such as 12torn.3+4weak.1.\n",
          to);
    return to == stdout ? 0 : 2;
}

static int list(void)
{
    for (size_t i = 0; i < scenario_count; i++) {
        printf("scenario  %s\n", scenarios[i].name);
    }
    for (size_t i = 0; i < geometry_count; i++) {
        printf("geometry  %s\n", geometries[i].name);
    }
    return 0;
}

/* Work. */

/* Large images on small sectors take thousands of mutations that differ in nothing, and pairs of
   cuts by each way in, or while what is staged is moved by many small steps, differ little. */
static bool is_sensible(const struct work *work)
{
    const struct scenario *scenario = work->scenario;
    const bool is_easy = scenario->way == WAY_CALLS && scenario->staged == STAGED_NOT;

    if (work->depth > 1 &&
        (scenario->long_story || (!is_easy && work->geometry != &geometries[0]))) {
        return false;
    }
    return !scenario->large || work->geometry->erase[0] >= 4096;
}

/* The n-th piece of the complete part: each story on each geometry, then pairs of cuts on the small
   ones. Returns false past the last. */
static bool work_at(const struct options *options, unsigned n, struct work *work)
{
    unsigned singles = (unsigned)(geometry_count * scenario_count);
    unsigned pairs = options->full ? PAIR_GEOMETRIES * (unsigned)scenario_count : 0;

    if (n >= singles + pairs) {
        return false;
    }
    /* The longest first, so that no process is left alone at the end. */
    work->depth = n < pairs ? 2 : 1;
    n = n < pairs ? n : singles - 1 - (n - pairs);
    work->scenario = &scenarios[n % scenario_count];
    work->geometry = &geometries[n / scenario_count];
    return true;
}

static struct effort effort_for(const struct options *options, const struct work *work)
{
    const bool is_way = work->scenario->way != WAY_CALLS;
    const struct effort of_calls = options->full ? full : quick;
    const struct effort of_way = options->full ? full_way : quick_way;
    struct effort effort = is_way ? of_way : of_calls;

    if (work->depth > 1) {
        return for_pairs;
    }
    if (!options->full) {
        const uint32_t size =
            work->scenario->large ? BOARD_LARGE_IMAGE : work->geometry->image_size;
        effort.most = (is_way ? QUICK_WAY_BYTES : QUICK_BYTES) / size;
        effort.gap = QUICK_GAP;
    }
    return effort;
}

static bool is_wanted(const struct options *options, const struct work *work)
{
    return is_sensible(work) &&
           (options->scenario == NULL || strcmp(options->scenario, work->scenario->name) == 0) &&
           (options->geometry == NULL || strcmp(options->geometry, work->geometry->name) == 0);
}

static void count_cuts(const struct worker *worker, const struct board *board,
                       const struct plan *plan)
{
    struct totals *totals = worker->totals;
    /* Not at random the cuts before the last were counted when they were made. */
    const unsigned cuts = worker->random ? plan->count : plan->count > 0;
    const unsigned staged = board->scenario->staged != STAGED_NOT ? cuts : 0;

    atomic_fetch_add(&totals->cuts, cuts);
    atomic_fetch_add(&totals->way_cuts[board->scenario->way], cuts);
    atomic_fetch_add(&totals->staged_cuts, staged);
    if (worker->random) {
        atomic_fetch_add(&totals->random_cuts, cuts);
        atomic_fetch_add(&totals->random_staged_cuts, staged);
    }
}

static bool report(void *context, struct board *board, const struct plan *plan, bool met)
{
    struct worker *worker = context;
    char text[PLAN_TEXT_SIZE];

    count_cuts(worker, board, plan);
    if (met) {
        return true;
    }
    atomic_fetch_add(&worker->totals->failures, 1);
    fprintf(stderr, "updraft-power --replay %s:%s:%s:%" PRIu64 "  # %s\n", board->scenario->name,
            board->geometry->name, plan_text(plan, text), worker->options->seed, board->failure);
    return ++worker->shown < FAILURES_SHOWN;
}

static unsigned random_runs(const struct options *options, const struct work *work)
{
    if (options->full) {
        return RANDOM_RUNS;
    }
    return work->scenario->staged != STAGED_NOT ? RANDOM_RUNS_STAGED : RANDOM_RUNS_QUICK;
}

static void do_work(struct worker *worker, const struct work *work, bool random, uint64_t n)
{
    const struct options *options = worker->options;
    struct explorer explorer = {
        .board = board_new(work->scenario, work->geometry, options->seed),
        .seed = options->seed,
        .report = report,
        .context = worker,
    };

    worker->shown = 0;
    worker->random = random;
    if (random) {
        explore_random(&explorer, random_runs(options, work), options->seed + n);
    } else {
        explore_all(&explorer, work->depth, effort_for(options, work));
    }
    board_free(explorer.board);
}

/* The n-th piece at random: round the stories, each time on another geometry. */
static void random_work_at(unsigned n, struct work *work)
{
    const unsigned geometries_left = (unsigned)geometry_count - PAIR_GEOMETRIES;
    const unsigned round = n / (unsigned)scenario_count;

    work->depth = 1;
    work->scenario = &scenarios[n % scenario_count];
    work->geometry = &geometries[PAIR_GEOMETRIES + (n + round) % geometries_left];
}

/* Random plans are for a library that has passed the complete ones. Each story has some. */
static bool wants_more(const struct options *options, struct totals *totals, unsigned n)
{
    return atomic_load(&totals->failures) == 0 &&
           (n < scenario_count || atomic_load(&totals->cuts) < options->cuts ||
            (options->full && atomic_load(&totals->random_cuts) < RANDOM_CUTS_FULL));
}

static void run_worker(struct worker *worker)
{
    const struct options *options = worker->options;
    const unsigned all = (unsigned)(geometry_count * scenario_count);
    struct work work;
    unsigned n = atomic_fetch_add(&worker->totals->next, 1);

    for (; work_at(options, n, &work); n = atomic_fetch_add(&worker->totals->next, 1)) {
        if (is_wanted(options, &work)) {
            do_work(worker, &work, false, 0);
        }
    }
    n = atomic_fetch_add(&worker->totals->next_random, 1);
    for (unsigned idle = 0; wants_more(options, worker->totals, n) && idle < all; idle++) {
        random_work_at(n, &work);
        if (is_wanted(options, &work)) {
            do_work(worker, &work, true, n);
            idle = 0;
        }
        n = atomic_fetch_add(&worker->totals->next_random, 1);
    }
}

/* Runs the workers; returns whether all of them came to their end. */
static bool run_workers(const struct options *options, struct totals *totals)
{
    bool whole = true;

    fflush(NULL);
    for (uint64_t i = 0; i < options->jobs; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            struct worker worker = {.options = options, .totals = totals};
            run_worker(&worker);
            exit(0);
        }
        if (pid < 0) {
            perror("updraft-power: fork");
            whole = false;
        }
    }
    int status;
    while (wait(&status) > 0) {
        whole = whole && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    return whole;
}

/* Results. */

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static bool write_json(const char *path, unsigned long long cuts, double per_second)
{
    FILE *file = fopen(path, "w");

    if (file == NULL) {
        fprintf(stderr, "updraft-power: %s cannot be written: ", path);
        perror("");
        return false;
    }
    fprintf(file, "{\"power_cuts\": %llu, \"power_cuts_per_second\": %.0f}\n", cuts, per_second);
    return fclose(file) == 0;
}

static void print_ways(struct totals *totals)
{
    printf("ways:");
    for (enum way way = WAY_CALLS; way < WAY_COUNT; way++) {
        printf("%s %s %llu", way > WAY_CALLS ? "," : "", way_name(way),
               atomic_load(&totals->way_cuts[way]));
    }
    printf("\n");
}

static int run_all(const struct options *options)
{
    struct totals *totals =
        mmap(NULL, sizeof *totals, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (totals == MAP_FAILED) {
        perror("updraft-power: mmap");
        return 1;
    }

    const double start = now();
    bool whole = run_workers(options, totals);
    const unsigned long long cuts = atomic_load(&totals->cuts);
    const unsigned long long failures = atomic_load(&totals->failures);
    const double per_second = (double)cuts / (now() - start);

    if (!whole) {
        fputs("updraft-power: a process ended before its work was done\n", stderr);
    }
    printf("power: %llu cuts, %.0f per second, %llu failures\n", cuts, per_second, failures);
    print_ways(totals);
    printf("staged: %llu cuts; in random pairs and triples: %llu, staged %llu\n",
           atomic_load(&totals->staged_cuts), atomic_load(&totals->random_cuts),
           atomic_load(&totals->random_staged_cuts));
    if (options->json != NULL && !write_json(options->json, cuts, per_second)) {
        return 1;
    }
    return whole && failures == 0 && cuts > 0 ? 0 : 1;
}

/* Replaying. */

static bool parse_number(const char *text, uint64_t *number)
{
    char *end;

    *number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0';
}

/* Cuts the next word, up to a colon, off the line. */
static const char *next_word(char **line)
{
    char *word = *line;
    char *colon = strchr(word, ':');

    if (colon != NULL) {
        *colon = '\0';
        *line = colon + 1;
    } else {
        *line = word + strlen(word);
    }
    return word;
}

static int replay(char *line)
{
    const struct scenario *scenario = scenario_named(next_word(&line));
    const struct geometry *geometry = geometry_named(next_word(&line));
    const char *cuts = next_word(&line);
    uint64_t seed;
    struct plan plan;
    unsigned struck;

    if (scenario == NULL || geometry == NULL || !plan_parse(&plan, cuts) ||
        !parse_number(line, &seed)) {
        fputs("updraft-power: what to replay is SCENARIO:GEOMETRY:CUTS:SEED; see --list\n", stderr);
        return 2;
    }
    struct explorer explorer = {.board = board_new(scenario, geometry, seed), .seed = seed};
    explorer.board->trace = stdout;
    bool met = explore_plan(&explorer, &plan, &struck);
    if (struck < plan.count) {
        printf("only %u of %u cuts struck\n", struck, plan.count);
    }
    printf("%s\n", met ? "all demands are met" : explorer.board->failure);
    board_free(explorer.board);
    return met ? 0 : 1;
}

enum option_id {
    FULL,
    CUTS,
    SEED,
    JOBS,
    JSON,
    SCENARIO,
    GEOMETRY,
    REPLAY,
    LIST,
    HELP
};

static const struct option known_options[] = {
    {"full", no_argument, NULL, FULL},
    {"cuts", required_argument, NULL, CUTS},
    {"seed", required_argument, NULL, SEED},
    {"jobs", required_argument, NULL, JOBS},
    {"json", required_argument, NULL, JSON},
    {"scenario", required_argument, NULL, SCENARIO},
    {"geometry", required_argument, NULL, GEOMETRY},
    {"replay", required_argument, NULL, REPLAY},
    {"list", no_argument, NULL, LIST},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

/* Takes one option; returns whether it is a good one. */
static bool take_option(struct options *options, int id, char *value)
{
    switch (id) {
    case FULL:
        options->full = true;
        return true;
    case CUTS:
        return parse_number(value, &options->cuts);
    case SEED:
        return parse_number(value, &options->seed);
    case JOBS:
        return parse_number(value, &options->jobs) && options->jobs > 0 && options->jobs <= 256;
    case JSON:
        options->json = value;
        return true;
    case SCENARIO:
        options->scenario = value;
        return scenario_named(value) != NULL;
    case GEOMETRY:
        options->geometry = value;
        return geometry_named(value) != NULL;
    case REPLAY:
        options->replay = value;
        return true;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    struct options options = {.seed = 1, .jobs = 2};
    int id;

    while ((id = getopt_long(argc, argv, "", known_options, NULL)) != -1) {
        if (id == LIST) {
            return list();
        }
        if (id == HELP) {
            return usage(stdout);
        }
        if (!take_option(&options, id, optarg)) {
            return usage(stderr);
        }
    }
    if (optind < argc) {
        return usage(stderr);
    }
    return options.replay != NULL ? replay(options.replay) : run_all(&options);
}
