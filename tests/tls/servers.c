/* SPDX-License-Identifier: Apache-2.0 */
/* Real servers for tests. */

#include "tls/servers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 32
#define START_MS 10000

static void demand(bool holds, const char *what)
{
    if (!holds) {
        perror(what);
        abort();
    }
}

bool servers_have(const char *program)
{
    char command[128];

    snprintf(command, sizeof command, "PATH=\"$PATH:/usr/sbin\" command -v %s >/dev/null", program);
    return system(command) == 0; /* NOLINT(cert-env33-c): the test's own words */
}

void servers_run(const struct scratch *scratch, const char *command)
{
    char line[4096];

    snprintf(line, sizeof line, "cd %s && { %s; } >/dev/null 2>&1", scratch->path, command);
    demand(system(line) == 0, command); /* NOLINT(cert-env33-c): likewise */
}

/* ---- Ports ----------------------------------------------------------------------------------- */

static struct sockaddr_in local(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
}

static int tcp_socket(void)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    demand(fd >= 0, "socket");
    return fd;
}

static int listen_at(uint16_t *port)
{
    struct sockaddr_in address = local(0);
    socklen_t size = sizeof address;
    const int fd = tcp_socket();

    demand(bind(fd, (struct sockaddr *)&address, sizeof address) == 0, "bind");
    demand(listen(fd, 8) == 0, "listen");
    demand(getsockname(fd, (struct sockaddr *)&address, &size) == 0, "getsockname");
    *port = ntohs(address.sin_port);
    return fd;
}

uint16_t servers_free_port(void)
{
    uint16_t port;

    close(listen_at(&port));
    return port;
}

static int connect_to(uint16_t port)
{
    const struct sockaddr_in address = local(port);
    const int fd = tcp_socket();

    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) {
        return fd;
    }
    close(fd);
    return -1;
}

/* Until the server takes connections. */
static void await(const struct server *server)
{
    for (unsigned waited = 0; waited < START_MS; waited += 10) {
        const int fd = connect_to(server->port);
        if (fd >= 0) {
            close(fd);
            return;
        }
        demand(waitpid(server->pid, NULL, WNOHANG) == 0, "the server has ended");
        poll(NULL, 0, 10);
    }
    demand(false, "the server does not come up");
}

/* ---- Processes ------------------------------------------------------------------------------- */

/* Starts a program in the folder, its standard input a pipe. It does not outlive the test. */
static void start(struct server *server, const struct scratch *scratch,
                  const char *const *arguments)
{
    const struct scratch folder = *scratch;
    char *words[ARGUMENTS_MAX] = {NULL}; /* execvp's type does not say that it changes none */
    size_t count = 0;
    int input[2];

    while (arguments[count] != NULL) {
        count++;
    }
    demand(count < ARGUMENTS_MAX, "arguments");
    memcpy(words, arguments, count * sizeof *arguments);
    fflush(NULL);
    demand(pipe2(input, O_CLOEXEC) == 0, "pipe2");
    server->pid = fork();
    demand(server->pid >= 0, "fork");
    if (server->pid == 0) {
        const int log = open(scratch_path(&folder, "server.log"),
                             O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (chdir(folder.path) == 0 && words[0] != NULL) {
            dup2(input[0], STDIN_FILENO);
            dup2(log, STDOUT_FILENO);
            dup2(log, STDERR_FILENO);
            setenv("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin", 1);
            execvp(words[0], words);
        }
        _exit(127);
    }
    close(input[0]);
    server->input = input[1];
    fcntl(server->input, F_SETFL, O_NONBLOCK);
}

void server_openssl(struct server *server, const struct scratch *scratch,
                    const char *const *arguments)
{
    char accept[32];
    const char *all[ARGUMENTS_MAX] = {"openssl", "s_server", "-quiet", "-accept", accept};
    size_t count = 5;

    for (; *arguments != NULL && count < ARGUMENTS_MAX - 1; arguments++) {
        all[count++] = *arguments;
    }
    server->port = servers_free_port();
    snprintf(accept, sizeof accept, "127.0.0.1:%u", (unsigned)server->port);
    start(server, scratch, all);
    await(server);
}

void server_nginx(struct server *server, const struct scratch *scratch, const char *configuration,
                  uint16_t port)
{
    const char *const arguments[] = {"nginx",       "-p", scratch->path, "-c",
                                     configuration, "-e", "nginx.log",   NULL};

    server->port = port;
    start(server, scratch, arguments);
    await(server);
}

void server_stop(struct server *server)
{
    if (server->pid > 0) {
        kill(server->pid, SIGKILL);
        waitpid(server->pid, NULL, 0);
        server->pid = 0;
    }
    if (server->input >= 0) {
        close(server->input);
        server->input = -1;
    }
}

/* ---- The relay ------------------------------------------------------------------------------- */

static bool pass_byte(int from, int to)
{
    char byte;

    return recv(from, &byte, 1, 0) == 1 && send(to, &byte, 1, MSG_NOSIGNAL) == 1;
}

/* One connection, a byte at a time; what the client sends goes through at once. */
static void relay(int client, int server, unsigned byte_ms)
{
    char data[4096];
    struct pollfd polls[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};

    for (;;) {
        poll(polls, 2, -1);
        if (polls[0].revents != 0) {
            const ssize_t len = recv(client, data, sizeof data, 0);
            if (len <= 0 || send(server, data, (size_t)len, MSG_NOSIGNAL) != len) {
                return;
            }
        }
        if (polls[1].revents != 0) {
            if (!pass_byte(server, client)) {
                return;
            }
            poll(NULL, 0, (int)byte_ms); /* the slowness that is wanted */
        }
    }
}

void server_relay(struct server *server, uint16_t port, unsigned byte_ms)
{
    const int listener = listen_at(&server->port);

    server->input = -1;
    fflush(NULL);
    server->pid = fork();
    demand(server->pid >= 0, "fork");
    if (server->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            const int client = accept(listener, NULL, NULL);
            const int peer = connect_to(port);
            if (client < 0 || peer < 0) {
                _exit(1);
            }
            relay(client, peer, byte_ms);
            close(client);
            close(peer);
        }
    }
    close(listener);
}
