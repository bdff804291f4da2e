/* SPDX-License-Identifier: Apache-2.0 */
/* Files: what is said about those that cannot be read, and that a file is replaced whole or not at
   all. Numbers, columns and texts as they are printed. */

#include "cli/files.h"
#include "cli/output.h"
#include "cli/progress.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h> /* behind output.h: both have a `fail` */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/capture.h"
#include "support/scratch.h"

static size_t files_here(void)
{
    size_t count = 0;
    DIR *dir = opendir(".");
    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count - 2;
}

static void put(const char *path, const char *text)
{
    assert_int_equal(files_write_atomically(path, text, strlen(text)), 0);
}

static void must_hold(const char *path, const char *text)
{
    struct files_content content;
    assert_int_equal(files_read(path, 1000, &content), 0);
    assert_int_equal(content.size, strlen(text));
    assert_memory_equal(content.data, text, content.size);
    files_release(&content);
    files_release(&content);
}

/* Each of the three ways to read must refuse the path with this sentence. */
static void refused_by_all(const char *path, const char *message)
{
    struct capture capture;
    struct files_content content;
    struct files_source source;
    for (int way = 0; way < 3; way++) {
        capture_begin(&capture);
        int status = way == 0   ? files_read(path, 1000, &content)
                     : way == 1 ? files_map(path, 1000, &content)
                                : files_source_open(&source, path);
        capture_end(&capture);
        assert_int_equal(status, 1);
        assert_string_equal(capture.err, message);
        capture_free(&capture);
    }
}

static void what_cannot_be_read(void **state)
{
    (void)state;
    refused_by_all("absent", "updraft: absent: there is no such file\n");
    refused_by_all(".", "updraft: .: is a directory; name a file in it\n");
    assert_int_equal(symlink("loop", "loop"), 0);
    refused_by_all("loop", "updraft: loop: cannot be opened: Too many levels of symbolic links\n");
    FILE *empty = fopen("empty", "w");
    fclose(empty);
    refused_by_all("empty", "updraft: empty: is empty\n");
    if (geteuid() != 0) {
        put("secret", "x");
        assert_int_equal(chmod("secret", 0), 0);
        refused_by_all("secret", "updraft: secret: you may not read this file\n");
    }
}

static void limits(void **state)
{
    (void)state;
    put("five", "12345");
    struct capture capture;
    struct files_content content;
    assert_int_equal(files_read("five", 5, &content), 0);
    files_release(&content);
    assert_int_equal(files_map("five", 5, &content), 0);
    assert_true(content.mapped);
    assert_memory_equal(content.data, "12345", 5);
    content.data[0] = 'x';
    files_release(&content);
    must_hold("five", "12345");
    capture_begin(&capture);
    int read_status = files_read("five", 4, &content);
    int map_status = files_map("five", 4, &content);
    capture_end(&capture);
    assert_int_equal(read_status, 1);
    assert_int_equal(map_status, 1);
    assert_string_equal(capture.err,
                        "updraft: five: is larger than the 4 bytes that such a file can have\n"
                        "updraft: five: is larger than the 4 bytes that such a file can have\n");
    capture_free(&capture);
}

static void streams(void **state)
{
    (void)state;
    put("text", "abcdefgh");
    struct files_source file;
    assert_int_equal(files_source_open(&file, "text"), 0);
    assert_int_equal(file.source.size, 8);
    char piece[3];
    size_t len;
    size_t total = 0;
    do {
        assert_int_equal(file.source.read(&file.source, piece, sizeof(piece), &len), OTA_OK);
        assert_memory_equal(piece, &"abcdefgh"[total], len);
        total += len;
    } while (len > 0);
    assert_int_equal(total, 8);
    assert_int_equal(file.offset, 8);
    files_source_close(&file);
}

static void replaced_whole(void **state)
{
    (void)state;
    put("file", "old");
    assert_int_equal(chmod("file", 0640), 0);
    struct files_writer writer;
    assert_int_equal(files_writer_open(&writer, "file"), 0);
    fputs("new, and longer", writer.stream);
    fflush(writer.stream);
    must_hold("file", "old");
    assert_int_equal(files_here(), 2);
    assert_int_equal(files_writer_commit(&writer), 0);
    must_hold("file", "new, and longer");
    assert_int_equal(files_here(), 1);
    struct stat status;
    assert_int_equal(stat("file", &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
}

static void or_not_at_all(void **state)
{
    (void)state;
    put("file", "old");
    struct files_writer writer;
    assert_int_equal(files_writer_open(&writer, "file"), 0);
    fputs("new", writer.stream);
    files_writer_abandon(&writer);
    must_hold("file", "old");
    assert_int_equal(files_here(), 1);
}

static void what_cannot_be_written(void **state)
{
    (void)state;
    static const struct {
        const char *path, *message;
    } cases[] = {
        {"no/file", "updraft: no/file: cannot be written: its folder does not exist\n"},
        {".", "updraft: .: is a directory; name a file in it\n"},
        {"/dev/full", "updraft: /dev/full: cannot be written: No space left on device\n"},
        {"loop", "updraft: loop: cannot be written: Too many levels of symbolic links\n"},
        {"lost", "updraft: lost: cannot be written: its folder does not exist\n"},
    };
    assert_int_equal(symlink("loop", "loop"), 0);
    assert_int_equal(symlink("no/file", "lost"), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct capture capture;
        capture_begin(&capture);
        int status = files_write_atomically(cases[i].path, "x", 1);
        capture_end(&capture);
        assert_int_equal(status, 1);
        assert_string_equal(capture.err, cases[i].message);
        capture_free(&capture);
    }
    assert_int_equal(files_here(), 2);
}

static void must_be_link(const char *path, const char *target)
{
    char text[256] = "";
    assert_true(readlink(path, text, sizeof(text) - 1) >= 0);
    assert_string_equal(text, target);
}

/* What a link leads to is replaced, whole as ever; the link stays one. */
static void through_links(void **state)
{
    (void)state;
    static const struct {
        const char *link, *target, *file;
    } cases[] = {
        {"near", "file", "file"},
        {"far", "folder/file", "folder/file"},
        {"folder/back", "../file", "file"},
        {"twice", "folder/back", "file"},
        {"nowhere", "folder/new", "folder/new"},
    };
    assert_int_equal(mkdir("folder", 0777), 0);
    put("file", "old");
    put("folder/file", "old");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(symlink(cases[i].target, cases[i].link), 0);
        put(cases[i].link, cases[i].link);
        must_be_link(cases[i].link, cases[i].target);
        must_hold(cases[i].file, cases[i].link);
    }
    struct files_writer writer;
    size_t files = files_here();
    assert_int_equal(files_writer_open(&writer, "nowhere"), 0);
    fputs("half", writer.stream);
    assert_int_equal(files_here(), files); /* the temporary file is where its target is */
    must_hold("folder/new", "nowhere");
    files_writer_abandon(&writer);
    must_hold("folder/new", "nowhere");
    put("nowhere", "new");
    assert_int_equal(unlink("folder/new"), 0);
    assert_int_equal(unlink("folder/back"), 0);
    assert_int_equal(unlink("folder/file"), 0);
    assert_int_equal(rmdir("folder"), 0); /* nothing is left in it */
}

/* What is open is written to, not replaced: whoever holds it open is to get it. */
static void through_open_files(void **state)
{
    (void)state;
    if (access("/proc/self/fd", F_OK) != 0) {
        skip();
    }
    char name[64];
    int ends[2];
    int file = open("open", O_RDWR | O_CREAT, 0666);
    assert_true(file >= 0);
    snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
    assert_int_equal(symlink(name, "link"), 0);
    assert_int_equal(symlink("link", "to_link"), 0);
    for (int removed = 0; removed < 2; removed++) {
        char text[8] = "";
        put("to_link", removed ? "two" : "one");
        assert_int_equal(pread(file, text, sizeof(text), 0), 3);
        assert_string_equal(text, removed ? "two" : "one");
        must_be_link("link", name);
        must_be_link("to_link", "link");
        assert_int_equal(files_here(), 3 - (size_t)removed);
        unlink("open");
    }
    close(file);

    assert_int_equal(pipe(ends), 0);
    snprintf(name, sizeof(name), "/proc/self/fd/%d", ends[1]);
    assert_int_equal(symlink(name, "pipe"), 0);
    put("pipe", "x");
    char byte = 0;
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    must_be_link("pipe", name);
    close(ends[0]);
    close(ends[1]);
}

/* Has standard output be a full disk for one call, and returns what was said of it. */
static char *said_of_full_disk(int (*call)(void))
{
    struct capture capture;
    capture_begin(&capture);
    fclose(stdout);
    stdout = fopen("/dev/full", "w");
    assert_non_null(stdout);
    int status = call();
    capture_end(&capture);
    free(capture.out);
    assert_int_equal(status, 1);
    return capture.err;
}

static int print_and_finish(void)
{
    puts("text");
    return output_finish(0);
}

/* The write failed long ago, and errno tells of something else since. */
static int print_look_and_finish(void)
{
    puts("text");
    fflush(stdout);
    errno = ENOTTY;
    return output_finish(0);
}

static int write_and_finish(void)
{
    return output_finish(files_write_atomically("-", "text", 4));
}

static int write_much_and_finish(void)
{
    static const char much[100000];
    return output_finish(files_write_atomically("-", much, sizeof(much)));
}

/* It is told once, and with its reason where that is known. */
static void full_disks(void **state)
{
    (void)state;
    static const struct {
        int (*call)(void);
        const char *message;
    } cases[] = {
        {print_and_finish,
         "updraft: standard output could not be written: No space left on device\n"},
        {print_look_and_finish, "updraft: standard output could not be written\n"},
        {write_and_finish, "updraft: <stdout>: cannot be written: No space left on device\n"},
        {write_much_and_finish, "updraft: <stdout>: cannot be written: No space left on device\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *said = said_of_full_disk(cases[i].call);
        assert_string_equal(said, cases[i].message);
        free(said);
    }
}

static volatile sig_atomic_t signals_taken;

static void take_signal(int number)
{
    (void)number;
    signals_taken++;
}

/* A process that writes two files, and does this about a signal, until it is told to end. */
static void write_until_told(void (*handler)(int), int number, int ready, int go)
{
    static const int others[] = {SIGINT, SIGTERM, SIGHUP};
    struct files_writer first;
    struct files_writer second;
    char byte = 0;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        signal(others[i], SIG_DFL);
    }
    struct sigaction action = {.sa_handler = handler, .sa_flags = (int)SA_RESTART};
    sigaction(number, &action, NULL);
    put("before", "x");
    if (files_writer_open(&first, "file") != 0 || files_writer_open(&second, "second") != 0) {
        _exit(100);
    }
    fputs("half", first.stream);
    fflush(first.stream);
    if (write(ready, "r", 1) != 1 || read(go, &byte, 1) < 0) {
        _exit(101);
    }
    fputs(", and whole", first.stream);
    files_writer_abandon(&second);
    int status = files_writer_commit(&first);
    /* What it did about signals before is what it does now. */
    sigaction(number, NULL, &action);
    _exit(status != 0 || action.sa_handler != handler ? 102 : (int)signals_taken);
}

/* Starts such a process, and sends it the signal while its files are half written. Returns how it
   has ended. */
static int interrupted(void (*handler)(int), int number)
{
    int ready[2];
    int go[2];
    int status = 0;
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    pid_t process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        close(ready[0]);
        close(go[1]);
        write_until_told(handler, number, ready[1], go[0]);
    }
    close(ready[1]);
    close(go[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(files_here(), 4); /* before, the old file, and two temporary ones */
    assert_int_equal(kill(process, number), 0);
    close(go[1]); /* whom the signal did not end goes on */
    assert_int_equal(waitpid(process, &status, 0), process);
    close(ready[0]);
    return status;
}

/* Ctrl-C leaves what was there, and nothing under a strange name. */
static void interrupted_leaves_nothing(void **state)
{
    (void)state;
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        put("file", "old");
        int status = interrupted(SIG_DFL, numbers[i]);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), numbers[i]);
        assert_int_equal(files_here(), 2);
        must_hold("file", "old");
    }
}

/* A signal is taken while there is something to remove, and no longer. */
static void signals_are_given_back(void **state)
{
    (void)state;
    struct sigaction action;
    struct files_writer writer;
    signal(SIGTERM, SIG_DFL);
    for (int commits = 0; commits < 2; commits++) {
        assert_int_equal(files_writer_open(&writer, "file"), 0);
        sigaction(SIGTERM, NULL, &action);
        assert_false(action.sa_handler == SIG_DFL);
        if (commits) {
            fputs("whole", writer.stream);
            assert_int_equal(files_writer_commit(&writer), 0);
        } else {
            files_writer_abandon(&writer);
        }
        sigaction(SIGTERM, NULL, &action);
        assert_true(action.sa_handler == SIG_DFL);
    }
}

/* Nor does an input that becomes shorter leave anything, though it ends the program. */
static void shortened_leaves_nothing(void **state)
{
    (void)state;
    put("input", "text");
    pid_t process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        struct files_content content;
        struct files_writer writer;
        if (files_map("input", 1000, &content) != 0 || files_writer_open(&writer, "file") != 0 ||
            truncate("input", 0) != 0) {
            _exit(100);
        }
        int quiet = open("/dev/null", O_WRONLY);
        dup2(quiet, STDERR_FILENO);
        fwrite(content.data, 1, content.size, writer.stream);
        _exit(101);
    }
    int status = 0;
    assert_int_equal(waitpid(process, &status, 0), process);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_int_equal(files_here(), 1);
}

/* Whoever takes signals otherwise goes on so. */
static void others_handlers_stay(void **state)
{
    (void)state;
    static void (*const handlers[])(int) = {SIG_IGN, take_signal};
    for (int i = 0; i < 2; i++) {
        put("file", "old");
        int status = interrupted(handlers[i], SIGINT);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), i);
        assert_int_equal(files_here(), 2);
        must_hold("file", "half, and whole");
    }
}

static void must_refuse_to_create(const char *path, const char *message)
{
    struct capture capture;
    size_t files = files_here();
    capture_begin(&capture);
    int status = files_create(path, "new", 3, true);
    capture_end(&capture);
    assert_int_equal(status, 1);
    assert_non_null(strstr(capture.err, message));
    assert_int_equal(files_here(), files);
    capture_free(&capture);
}

/* A file that must be new is, or is not touched; a secret one is its owner's alone. */
static void created_or_left_alone(void **state)
{
    (void)state;
    struct stat status;
    mode_t mask = umask(0);
    assert_int_equal(files_create("secret", "new", 3, true), 0);
    assert_int_equal(files_create("open", "new", 3, false), 0);
    umask(mask);
    must_hold("secret", "new");
    assert_int_equal(stat("secret", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(stat("open", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0666);
    assert_int_equal(files_here(), 2);

    assert_true(files_may_create("other"));
    put("open", "old");
    must_refuse_to_create("open", "open: is there already, and is not overwritten");
    must_hold("open", "old");
    assert_int_equal(symlink("nowhere", "link"), 0);
    must_refuse_to_create("link", "link: is there already");
    assert_int_equal(mkdir("folder", 0777), 0);
    must_refuse_to_create("folder", "folder: is there already");
    must_refuse_to_create("absent/key", "absent/key: cannot be written");
}

static void numbers_as_printed(void **state)
{
    (void)state;
    assert_string_equal(output_thousands(0).text, "0");
    assert_string_equal(output_thousands(999).text, "999");
    assert_string_equal(output_thousands(1000).text, "1,000");
    assert_string_equal(output_thousands(867072).text, "867,072");
    assert_string_equal(output_thousands(UINT64_MAX).text, "18,446,744,073,709,551,615");
    assert_string_equal(output_hex(0x20, 6).text, "0x000020");
    assert_string_equal(output_hex(UINT64_MAX, 1).text, "0xffffffffffffffff");
    assert_string_equal(output_size(1).text, "1 byte");
    assert_string_equal(output_size(1023).text, "1023 bytes");
    assert_string_equal(output_size(4 << 20).text, "4 MB");
    assert_string_equal(output_size(49357).text, "48.2 KB");
}

static void texts_from_outside(void **state)
{
    (void)state;
    static const struct {
        const char *text, *safe;
    } cases[] = {
        {"plain", "plain"},
        {"tab\t, bell\a", "tab\\x09, bell\\x07"},
        {"\033[31mred", "\\x1b[31mred"},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {"\xff\xfe", "\\xff\\xfe"},
        {"\xc0\xaf", "\\xc0\\xaf"},          /* overlong */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* a surrogate */
        {"\xc2\x9b"
         "31m",
         "\\xc2\\x9b"
         "31m"},                                      /* a control sequence of eight bits */
        {"\xe2\x82", "\\xe2\\x82"},                   /* cut short */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* beyond the last character */
        {"\x7f", "\\x7f"},
    };
    char safe[64];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(output_escape(cases[i].text, safe, sizeof(safe)), cases[i].safe);
    }
    assert_string_equal(output_escape("abcdef", safe, 4), "abc");
    assert_string_equal(output_escape("ab\n", safe, 6), "ab");
    assert_string_equal(output_escape("a\xc3\xbc", safe, 3), "a");
}

static void columns(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    struct output_table table;
    output_table_begin(&table, "lrl");
    output_table_row(&table, "SLOT", "SIZE", "IMAGE");
    output_table_row(&table, "ota_0", "1,048,576", "gr\xc3\xbc\xc3\x9f");
    output_table_row(&table, "\xe2\x80\x93", "7", "");
    output_table_print(&table, stdout, "  ");
    capture_end(&capture);
    assert_string_equal(capture.out, "  SLOT        SIZE  IMAGE\n"
                                     "  ota_0  1,048,576  gr\xc3\xbc\xc3\x9f\n"
                                     "  \xe2\x80\x93              7\n");
    capture_free(&capture);
}

/* The caller frees it. */
static char *line_at(struct progress progress, unsigned columns, double seconds)
{
    char *line = progress_line(&progress, columns, seconds);
    assert_true(output_width(line) < columns);
    return line;
}

static void assert_line(struct progress progress, unsigned columns, double seconds,
                        const char *expected)
{
    char *line = line_at(progress, columns, seconds);
    assert_string_equal(line, expected);
    free(line);
}

static void progress_lines(void **state)
{
    (void)state;
    const struct progress half = {.label = "code.bin", .total = 867072, .done = 468000};
    assert_line(half, 100, 3.5,
                "code.bin  ████████████████░░░░░░░░░░░░░░   54 %  457 KB of 846.8 KB  "
                "130.6 KB/s  3 s left");
    assert_line(half, 60, 3.5, "code.bin   54 %  457 KB of 846.8 KB  130.6 KB/s  3 s left");
    assert_line((struct progress){.label = "-", .done = 2048}, 100, 2, "-  2 KB  1 KB/s");
    char *line = line_at((struct progress){.label = "x", .total = 10, .done = 20}, 100, 0);
    assert_non_null(strstr(line, "100 %"));
    free(line);
}

/* A line that wraps cannot be wiped. Columns count, not bytes, and of a long name the end tells. */
static void progress_lines_fit(void **state)
{
    (void)state;
    struct progress progress = {
        .label = "a-very-long-name-of-a-directory-or-so/and-of-a-file-too-2.3.1.bin",
        .total = 867072,
        .done = 468000};
    assert_line(progress, 80, 3.5,
                "…o/and-of-a-file-too-2.3.1.bin   54 %  457 KB of 846.8 KB  130.6 KB/s  3 s left");
    progress.label = "garden\033[2J.bin";
    assert_line(progress, 75, 3.5,
                "garden\\x1b[2J.bin   54 %  457 KB of 846.8 KB  130.6 KB/s  3 s left");
    progress.label = "größere Grüße – größere Grüße – größere Grüße – größere Grüße.bin";
    assert_line(progress, 80, 3.5,
                "…ere Grüße – größere Grüße.bin   54 %  457 KB of 846.8 KB  130.6 KB/s  3 s left");
    progress.label = "花園花園花園花園花園花園花園花園花園花園花園花園花園花園.bin"; /* two wide */
    for (unsigned columns = 1; columns < 200; columns++) {
        free(line_at(progress, columns, 3.5));
        free(progress_fit(progress.label, "all sent", columns));
    }
    char *line = line_at(progress, 20, 3.5);
    assert_string_equal(line, "…園花園.bin   54 % ");
    free(line);
    assert_int_equal(output_width("花園 e\u0301 grüße"), 4 + 1 + 1 + 1 + 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_cannot_be_read, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(limits, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(streams, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(replaced_whole, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(or_not_at_all, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(through_links, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(through_open_files, scratch_enter, scratch_leave),
        cmocka_unit_test(full_disks),
        cmocka_unit_test_setup_teardown(interrupted_leaves_nothing, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(signals_are_given_back, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(shortened_leaves_nothing, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(others_handlers_stay, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(what_cannot_be_written, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(created_or_left_alone, scratch_enter, scratch_leave),
        cmocka_unit_test(numbers_as_printed),
        cmocka_unit_test(texts_from_outside),
        cmocka_unit_test(columns),
        cmocka_unit_test(progress_lines),
        cmocka_unit_test(progress_lines_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
