/* SPDX-License-Identifier: Apache-2.0 */
/* A password: found, or asked for. */

#include "cli/password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "cli/files.h"
#include "cli/output.h"

static bool take(struct password *password, const char *text, size_t len)
{
    if (len >= sizeof password->text || memchr(text, '\0', len) != NULL) {
        return false;
    }
    memcpy(password->text, text, len);
    password->text[len] = '\0';
    password->is_known = len > 0;
    return true;
}

int password_read(const char *path, struct password *password)
{
    struct files_content content = {0};
    struct stat facts;

    if (files_read(path, 65536, &content) != 0) {
        return COMMAND_FAILED;
    }
    if (strcmp(path, "-") != 0 && stat(path, &facts) == 0 && S_ISREG(facts.st_mode) &&
        (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        warn("%s holds a password and can be read by others: chmod 600 %s", path, path);
    }
    const char *text = (const char *)content.data;
    const char *end = memchr(text, '\n', content.size);
    size_t len = end != NULL ? (size_t)(end - text) : content.size;
    len -= len > 0 && text[len - 1] == '\r';
    const bool good = take(password, text, len) && password->is_known;
    explicit_bzero(content.data, content.mapped ? 0 : content.size);
    files_release(&content);
    return good ? COMMAND_GOOD
                : fail("%s: its first line is no password of 1 to %u bytes", files_name(path),
                       PASSWORD_SIZE - 1);
}

int password_find(const struct command_call *call, const struct password_places *places,
                  struct password *password)
{
    const char *path = command_value(call, places->file_option);
    const char *given =
        places->text_option != NULL ? command_value(call, places->text_option) : NULL;
    const char *kept = getenv(places->environment);

    *password = (struct password){.is_known = false};
    if (path != NULL && given != NULL) {
        return command_usage(call, "--%s and --%s cannot both be given", places->text_option,
                             places->file_option);
    }
    if (path != NULL) {
        return password_read(path, password);
    }
    given = given != NULL ? given : kept;
    if (given != NULL && !take(password, given, strlen(given))) {
        return fail("the password is longer than %u bytes", PASSWORD_SIZE - 1);
    }
    return COMMAND_GOOD;
}

/* Reads a line without its end; what does not fit is passed over, and makes it no line. */
static bool read_line(int terminal, struct password *password)
{
    char text[PASSWORD_SIZE];
    size_t len = 0;
    char byte = 0;
    bool fits = true;
    ssize_t got = 0;

    while ((got = read(terminal, &byte, 1)) == 1 && byte != '\n') {
        fits = fits && len < sizeof text;
        if (fits) {
            text[len++] = byte;
        }
    }
    const bool good = got == 1 && fits && take(password, text, len) && password->is_known;
    explicit_bzero(text, sizeof text);
    return good;
}

bool password_ask(const char *name, struct password *password)
{
    const int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct termios usual;

    if (terminal < 0 || tcgetattr(terminal, &usual) != 0) {
        if (terminal >= 0) {
            close(terminal);
        }
        return false;
    }
    struct termios silent = usual;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_lflag |= ECHONL;
    tcsetattr(terminal, TCSAFLUSH, &silent);
    password->was_asked = true;
    dprintf(terminal, "Password of %s: ", name);
    const bool good = read_line(terminal, password);
    tcsetattr(terminal, TCSAFLUSH, &usual);
    close(terminal);
    return good;
}

void password_wipe(struct password *password)
{
    explicit_bzero(password, sizeof *password);
}
