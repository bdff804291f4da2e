/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection costs in memory, and what comes of it when there is not enough. Mbed TLS is
 * linked statically here, with its allocator under the test's control.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <malloc.h>
#include <stdlib.h>

#include "tls/pair.h"

/* The linker sends calls of calloc and free here (--wrap). */
void *__real_calloc(size_t count, size_t size);
void __real_free(void *memory);
void *__wrap_calloc(size_t count, size_t size);
void __wrap_free(void *memory);

static struct {
    bool is_client; /* the client is at it, not the server */
    size_t now, peak;
    unsigned calls, fail_at; /* the number of the call that fails, from 1; 0: none */
} heap;

void *__wrap_calloc(size_t count, size_t size)
{
    if (!heap.is_client) {
        return __real_calloc(count, size);
    }
    if (++heap.calls == heap.fail_at) {
        return NULL;
    }
    void *memory = __real_calloc(count, size);
    heap.now += malloc_usable_size(memory);
    heap.peak = heap.now > heap.peak ? heap.now : heap.peak;
    return memory;
}

void __wrap_free(void *memory)
{
    if (heap.is_client && memory != NULL) {
        heap.now -= malloc_usable_size(memory);
    }
    __real_free(memory);
}

static void on_client(bool enters)
{
    heap.is_client = enters;
}

/* ---- Figures --------------------------------------------------------------------------------- */

static void print_cost(struct pair *pair, const char *what, const char *ca_pem)
{
    size_t wrapped, open;

    heap.peak = heap.now = 0;
    pair_begin(pair, &(struct ota_tls_options){.ca_pem = ca_pem});
    size_t trust = heap.now;
    pair_connect(pair, "server.test", NULL);
    wrapped = heap.now - trust;
    assert_int_equal(pair_talk(pair, 500, 40000), OTA_OK);
    open = heap.now - trust;
    print_message("tls memory, %s: peak %zu bytes for a connection in its handshake, %zu once open "
                  "(a session of which stays), %zu before; %zu for the trusted certificate\n",
                  what, heap.peak - trust, open, wrapped, trust);
    assert_in_range(heap.peak - trust, 33000, 60000);
    pair_disconnect(pair);
    on_client(true);
    ota_tls_end(&pair->tls);
    on_client(false);
    assert_int_equal(heap.now, 0);
}

static void what_a_connection_costs(void **state)
{
    struct pair *pair = *state;
    struct certificate rsa;

    pair->on_client = on_client;
    print_cost(pair, "P-256", pair_ca.pem);
    certificate_make(
        &rsa, &(struct certificate_facts){.subject = "CN=server.test", .rsa = true, .is_ca = true});
    pair_serve(pair, &rsa);
    print_cost(pair, "RSA 2048", rsa.pem);
    certificate_free(&rsa);
}

/* ---- Not enough ------------------------------------------------------------------------------ */

/* Runs one connection of which the `fail_at`-th allocation fails. */
static enum ota_err starve(struct pair *pair, unsigned fail_at)
{
    enum ota_err err;

    heap.now = 0;
    heap.calls = 0;
    heap.fail_at = fail_at;
    on_client(true);
    err = ota_tls_begin(&pair->tls, &(struct ota_tls_options){.ca_pem = pair_ca.pem});
    on_client(false);
    if (err == OTA_OK) {
        pair_ready(pair);
        err = pair_wrap(pair, "server.test", NULL);
    }
    if (err == OTA_OK) {
        err = pair_talk(pair, 100, 100);
    }
    pair_disconnect(pair);
    on_client(true);
    ota_tls_end(&pair->tls);
    on_client(false);
    assert_int_equal(heap.now, 0); /* nothing is left behind */
    return err;
}

/* Mbed TLS takes a signature that it has not the memory to check for a wrong one. */
static void wherever_memory_ends(void **state)
{
    struct pair *pair = *state;
    unsigned refused = 0, mistaken = 0, at = 1;

    pair->on_client = on_client;
    for (;; at += 1 + at / 40) {
        enum ota_err err = starve(pair, at);
        bool is_mistaken = err == OTA_ERR_TLS_UNTRUSTED || err == OTA_ERR_TLS;
        assert_true(err == OTA_OK || err == OTA_ERR_NO_MEMORY || is_mistaken);
        pair->log[0] = '\0';
        refused += err == OTA_ERR_NO_MEMORY;
        mistaken += is_mistaken;
        if (heap.calls < at) {
            assert_int_equal(err, OTA_OK);
            break;
        }
    }
    assert_true(refused > 50);
    print_message(
        "tls memory: %u allocations; without one of them, %u times there is too little memory, "
        "%u times a signature that cannot be checked\n",
        at, refused, mistaken);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_connection_costs),
        TEST(wherever_memory_ends),
    };

    return cmocka_run_group_tests(tests, pair_set_up_group, pair_tear_down_group);
}
