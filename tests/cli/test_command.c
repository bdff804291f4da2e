/* SPDX-License-Identifier: Apache-2.0 */
/* The command framework: what of a command line reaches a command, what is refused and with which
   words, and what is made from the tables. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "cli/capture.h"
#include "cli/command.h"

/* What the last run of the sample command saw. */
static struct {
    unsigned runs;
    const char *out;
    bool quiet, json;
    size_t slots;
    const char *slot[4];
    size_t arguments;
    const char *argument[4];
    bool number_good;
    uint64_t number;
    int status;
} seen;

static int run_sample(const struct command_call *call)
{
    int status = seen.status;
    unsigned runs = seen.runs;
    memset(&seen, 0, sizeof(seen));
    seen.runs = runs + 1;
    seen.out = command_value(call, "output");
    seen.quiet = command_flag(call, "quiet");
    seen.json = command_flag(call, "json");
    const char *const *values;
    seen.slots = command_values(call, "slot", &values);
    for (size_t i = 0; i < seen.slots && i < 4; i++) {
        seen.slot[i] = values[i];
    }
    seen.arguments = command_count(call);
    for (size_t i = 0; i < 4; i++) {
        seen.argument[i] = command_argument(call, i);
    }
    seen.number = 7;
    seen.number_good = command_number(call, "size", 1, 0x1000000, &seen.number);
    return seen.number_good ? status : COMMAND_USAGE;
}

static const struct command_option sample_options[] = {
    {"output", 'o', "FILE", "write here"},
    {"quiet", 'q', NULL, "say less"},
    {"slot", 's', "NAME=FILE", "put FILE into a slot"},
    {"size", 0, "SIZE", "of the chip"},
    COMMAND_OPTION_JSON,
    {0},
};

static const char *const sample_examples[] = {"# first", "sample thing do -q x", NULL};

static const struct command thing_do = {
    .noun = "thing",
    .verb = "do",
    .summary = "Do the thing",
    .synopsis = "FILE...",
    .description = "First paragraph, which is long enough to be broken into more than one line of "
                   "eighty columns.\n\nSecond.\n  kept   as it is",
    .options = sample_options,
    .examples = sample_examples,
    .arguments_min = 1,
    .arguments_max = 3,
    .run = run_sample,
};

static const struct command thing_undo = {
    .noun = "thing", .verb = "undo", .summary = "Undo the thing", .run = run_sample};

static int run_nothing(const struct command_call *call)
{
    (void)call;
    seen.runs++;
    return COMMAND_GOOD;
}

static const struct command secret = {
    .noun = "secret", .summary = "Not shown", .hidden = true, .run = run_nothing};

static const struct command serve = {.noun = "serve", .summary = "Serve", .run = run_nothing};

static const struct command_noun nouns[] = {{"thing", "Things"}, {"serve", "Server"}, {0}};
static const struct command *const commands[] = {&thing_do, &thing_undo, &serve, &secret, NULL};
static const struct command_set set = {.program = "sample",
                                       .version = "1.2.3",
                                       .date = "March 1, 2024",
                                       .summary = "Sample",
                                       .nouns = nouns,
                                       .commands = commands};

/* Runs a line of at most 15 words, given without the program's name and ended by NULL. */
static int run(struct capture *capture, const char *const *words)
{
    const char *argv[17] = {"sample"};
    int argc = 1;
    while (words[argc - 1] != NULL) {
        argv[argc] = words[argc - 1];
        argc++;
    }
    capture_begin(capture);
    int status = command_main(&set, argc, argv);
    capture_end(capture);
    return status;
}

#define RUN(capture, ...) run(capture, (const char *const[]){__VA_ARGS__, NULL})

static int reset(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof(seen));
    return 0;
}

/* The line must be refused, without running, with exactly this message. */
static void refused(const char *message, const char *const *words)
{
    struct capture capture;
    seen.runs = 0;
    assert_int_equal(run(&capture, words), COMMAND_USAGE);
    assert_string_equal(capture.err, message);
    assert_string_equal(capture.out, "");
    assert_int_equal(seen.runs, 0);
    capture_free(&capture);
}

#define REFUSED(message, ...) refused(message, (const char *const[]){__VA_ARGS__, NULL})

static void options_in_every_form(void **state)
{
    (void)state;
    struct capture capture;
    assert_int_equal(RUN(&capture, "thing", "do", "--output", "a", "x"), 0);
    assert_string_equal(seen.out, "a");
    assert_int_equal(seen.arguments, 1);
    assert_string_equal(seen.argument[0], "x");
    assert_null(seen.argument[1]);
    capture_free(&capture);
    assert_int_equal(RUN(&capture, "thing", "do", "--output=b=c", "x"), 0);
    assert_string_equal(seen.out, "b=c");
    capture_free(&capture);
    assert_int_equal(RUN(&capture, "thing", "do", "-o", "c", "x"), 0);
    assert_string_equal(seen.out, "c");
    capture_free(&capture);
    assert_int_equal(RUN(&capture, "thing", "do", "-qod", "x"), 0);
    assert_string_equal(seen.out, "d");
    assert_true(seen.quiet);
    assert_false(seen.json);
    capture_free(&capture);
    assert_int_equal(RUN(&capture, "thing", "do", "--output=", "x", "--json"), 0);
    assert_string_equal(seen.out, "");
    assert_true(seen.json);
    capture_free(&capture);
    assert_int_equal(RUN(&capture, "thing", "do", "--json", "-o", "-", "-o", "a", "x"), 0);
    assert_true(seen.json);
    assert_string_equal(seen.out, "a");
    capture_free(&capture);
}

static void repeated_options(void **state)
{
    (void)state;
    struct capture capture;
    assert_int_equal(RUN(&capture, "thing", "do", "-s", "a=1", "-o", "first", "x", "--slot=b=2",
                         "-o", "last", "-sc=3"),
                     0);
    assert_int_equal(seen.slots, 3);
    assert_string_equal(seen.slot[0], "a=1");
    assert_string_equal(seen.slot[1], "b=2");
    assert_string_equal(seen.slot[2], "c=3");
    assert_string_equal(seen.out, "last");
    capture_free(&capture);
}

static void absent_options(void **state)
{
    (void)state;
    struct capture capture;
    assert_int_equal(RUN(&capture, "thing", "do", "x"), 0);
    assert_null(seen.out);
    assert_false(seen.quiet);
    assert_int_equal(seen.slots, 0);
    assert_int_equal(seen.number, 7);
    capture_free(&capture);
}

static void dashes(void **state)
{
    (void)state;
    struct capture capture;
    assert_int_equal(RUN(&capture, "thing", "do", "-", "--", "-q", "--help"), 0);
    assert_int_equal(seen.arguments, 3);
    assert_string_equal(seen.argument[0], "-");
    assert_string_equal(seen.argument[1], "-q");
    assert_string_equal(seen.argument[2], "--help");
    assert_false(seen.quiet);
    capture_free(&capture);
    assert_int_equal(RUN(&capture, "thing", "do", "-o", "-", "x"), 0);
    assert_string_equal(seen.out, "-");
    capture_free(&capture);
}

static void status_is_the_commands(void **state)
{
    (void)state;
    struct capture capture;
    seen.status = COMMAND_FAILED;
    assert_int_equal(RUN(&capture, "thing", "do", "x"), COMMAND_FAILED);
    capture_free(&capture);
}

static void wrong_lines(void **state)
{
    (void)state;
    REFUSED("updraft: there is no command \"thin\"; did you mean \"sample thing\"?\n", "thin");
    REFUSED("updraft: there is no command \"xyzzy\"; \"sample --help\" lists them\n", "xyzzy");
    REFUSED("updraft: there is no option \"-x\"; \"sample --help\" lists them\n", "-x");
    REFUSED("updraft: there is no thing command \"udno\"; did you mean \"sample thing undo\"?\n",
            "thing", "udno");
    REFUSED("updraft: there is no option --ouput (did you mean --output?); see sample thing do "
            "--help\n",
            "thing", "do", "--ouput", "a", "x");
    REFUSED("updraft: there is no option --frobnicate; see sample thing do --help\n", "thing", "do",
            "--frobnicate=1", "x");
    REFUSED("updraft: there is no option -x; see sample thing do --help\n", "thing", "do", "-qx");
    REFUSED("updraft: --output needs a value: FILE; see sample thing do --help\n", "thing", "do",
            "x", "--output");
    REFUSED("updraft: --output needs a value: FILE; see sample thing do --help\n", "thing", "do",
            "x", "-o");
    REFUSED("updraft: --quiet takes no value; see sample thing do --help\n", "thing", "do",
            "--quiet=1", "x");
    REFUSED("updraft: an argument is missing: FILE...; see sample thing do --help\n", "thing", "do",
            "-q");
    REFUSED("updraft: \"4\" is one argument too many; see sample thing do --help\n", "thing", "do",
            "1", "2", "3", "4");
    REFUSED("updraft: \"x\" is one argument too many; see sample serve --help\n", "serve", "x");
    REFUSED("updraft: --output - and --json would share standard output; see sample thing do "
            "--help\n",
            "thing", "do", "x", "--json", "-o", "a", "-o", "-");
}

static void hostile_words_are_escaped(void **state)
{
    (void)state;
    REFUSED("updraft: there is no command \"a\\x1b[2Jb\"; \"sample --help\" lists them\n",
            "a\033[2Jb");
    REFUSED("updraft: there is no option -\\x07; see sample thing do --help\n", "thing", "do",
            "-\a");
}

static void hidden_commands_run_and_are_not_shown(void **state)
{
    (void)state;
    struct capture capture;
    assert_int_equal(RUN(&capture, "--help"), 0);
    assert_non_null(strstr(capture.out, "thing undo"));
    assert_null(strstr(capture.out, "secret"));
    capture_free(&capture);
    REFUSED("updraft: there is no command \"secre\"; \"sample --help\" lists them\n", "secre");
    assert_int_equal(RUN(&capture, "secret"), 0);
    assert_int_equal(seen.runs, 1);
    capture_free(&capture);
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"1", 1},         {"0x10", 16},      {"0XfF", 255},
                {"4K", 4096},     {"4kb", 4096},     {"2MiB", 2 << 20},
                {"8MB", 8 << 20}, {"0x8M", 8 << 20}, {"16777216", 1 << 24}};
    static const char *const bad[] = {"",
                                      "x",
                                      "-1",
                                      "1.5",
                                      "0x",
                                      "4Q",
                                      "4KBs",
                                      "1 ",
                                      " 1",
                                      "KB",
                                      "4MMB",
                                      "0xg",
                                      "99999999999999999999",
                                      "17179869184G"};
    uint64_t value;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(command_parse_number(good[i].text, &value));
        assert_int_equal(value, good[i].value);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        value = 42;
        assert_false(command_parse_number(bad[i], &value));
        assert_int_equal(value, 42);
    }
    struct capture capture;
    assert_int_equal(RUN(&capture, "thing", "do", "x", "--size", "16M"), 0);
    assert_int_equal(seen.number, 1 << 24);
    capture_free(&capture);
    assert_int_equal(RUN(&capture, "thing", "do", "x", "--size", "17M"), COMMAND_USAGE);
    assert_string_equal(capture.err,
                        "updraft: --size: \"17M\" is no whole number from 1 to 16777216; "
                        "see sample thing do --help\n");
    capture_free(&capture);
    assert_int_equal(RUN(&capture, "thing", "do", "x", "--size=big"), COMMAND_USAGE);
    assert_string_equal(capture.err,
                        "updraft: --size: \"big\" is no whole number from 1 to 16777216; "
                        "see sample thing do --help\n");
    capture_free(&capture);
}

static void nearest_names(void **state)
{
    (void)state;
    static const char *const names[] = {"partitions", "chip", "json", "slot", NULL};
    assert_string_equal(command_nearest("chp", names), "chip");
    assert_string_equal(command_nearest("hcip", names), "chip");
    assert_string_equal(command_nearest("part", names), "partitions");
    assert_string_equal(command_nearest("partition", names), "partitions");
    assert_null(command_nearest("xy", names));
    assert_null(command_nearest("", names));
    assert_null(command_nearest("a-name-that-is-much-longer-than-any-that-exists", names));
}

static void versions_and_help(void **state)
{
    (void)state;
    struct capture capture;
    assert_int_equal(RUN(&capture, "--version"), 0);
    assert_string_equal(capture.out, "sample 1.2.3\n");
    capture_free(&capture);

    assert_int_equal(RUN(&capture, "thing", "do", "--help"), 0);
    assert_int_equal(seen.runs, 0);
    assert_non_null(strstr(capture.out, "Usage: sample thing do [OPTION]... FILE...\n"));
    assert_non_null(strstr(capture.out, "  -o, --output FILE     write here\n"));
    assert_non_null(strstr(capture.out, "      --json            print JSON\n"));
    assert_non_null(strstr(capture.out, "  -h, --help            show this help\n"));
    assert_non_null(strstr(capture.out, "\n  kept   as it is\n"));
    assert_non_null(strstr(capture.out, "  sample thing do -q x\n"));
    for (const char *line = capture.out; *line != 0; line += strcspn(line, "\n") + 1) {
        assert_true(strcspn(line, "\n") <= 80);
    }
    char *by_option = capture.out;
    free(capture.err);
    assert_int_equal(RUN(&capture, "help", "thing", "do"), 0);
    assert_string_equal(capture.out, by_option);
    free(by_option);
    capture_free(&capture);

    assert_int_equal(RUN(&capture, "thing", "-h"), 0);
    assert_non_null(strstr(capture.out, "  thing do    Do the thing\n"));
    assert_null(strstr(capture.out, "serve"));
    capture_free(&capture);
    assert_int_equal(RUN(&capture, "thing"), COMMAND_USAGE);
    assert_string_equal(capture.out, "");
    assert_non_null(strstr(capture.err, "  thing undo  Undo the thing\n"));
    capture_free(&capture);
    assert_int_equal(run(&capture, (const char *const[]){NULL}), COMMAND_USAGE);
    assert_non_null(strstr(capture.err, "Things:\n"));
    capture_free(&capture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(options_in_every_form, reset),
        cmocka_unit_test_setup(repeated_options, reset),
        cmocka_unit_test_setup(absent_options, reset),
        cmocka_unit_test_setup(dashes, reset),
        cmocka_unit_test_setup(status_is_the_commands, reset),
        cmocka_unit_test_setup(wrong_lines, reset),
        cmocka_unit_test_setup(hostile_words_are_escaped, reset),
        cmocka_unit_test_setup(hidden_commands_run_and_are_not_shown, reset),
        cmocka_unit_test_setup(numbers, reset),
        cmocka_unit_test_setup(nearest_names, reset),
        cmocka_unit_test_setup(versions_and_help, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
