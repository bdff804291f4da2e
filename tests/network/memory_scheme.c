/* SPDX-License-Identifier: Apache-2.0 */
/* A source like a memory card, which fails as the plan says. */

#include "network/memory_scheme.h"

#include <string.h>

static enum ota_err memory_read(struct ota_fetch *fetch, void *data, size_t capacity, size_t *len,
                                bool *ended)
{
    struct memory_scheme *memory =
        (struct memory_scheme *)(void *)((char *)fetch - offsetof(struct memory_scheme, fetch));
    struct net *net = memory->net;
    size_t most = memory->image->size - memory->at;

    *len = 0;
    *ended = false;
    if (net != NULL && net->plan.end != NET_NOTHING && net->is_armed) {
        most = net->plan.cut_at - memory->at;
        if (most == 0 && !net->has_cut) {
            net->has_cut = true;
            net->cut_ms = net->now_ms;
        }
        if (most == 0) {
            return net->plan.end == NET_CLOSE   ? OTA_ERR_INCOMPLETE
                   : net->plan.end == NET_RESET ? OTA_ERR_CONNECTION_LOST
                                                : OTA_OK;
        }
    }
    if (net != NULL && net->plan.piece != 0 && most > net->plan.piece) {
        most = net->plan.piece;
    }
    *len = most < capacity ? most : capacity;
    memcpy(data, memory->image->bytes + memory->at, *len);
    memory->at += (uint32_t)*len;
    *ended = memory->at == memory->image->size;
    if (net != NULL) {
        net->stirred++;
        net->carried[NET_TO_DEVICE] += *len;
    }
    return OTA_OK;
}

static void memory_close(struct ota_fetch *fetch)
{
    ((struct memory_scheme *)(void *)((char *)fetch - offsetof(struct memory_scheme, fetch)))
        ->is_open = false;
}

static enum ota_err memory_open(struct ota_scheme *scheme, struct ota_platform *platform,
                                const struct ota_fetch_request *request, struct ota_fetch **fetch)
{
    struct memory_scheme *memory = (struct memory_scheme *)(void *)scheme;

    (void)platform;
    (void)request;
    if (memory->is_open) {
        return OTA_ERR_BUSY;
    }
    memory->is_open = true;
    memory->at = 0;
    memory->fetch =
        (struct ota_fetch){.size = memory->image->size, .read = memory_read, .close = memory_close};
    *fetch = &memory->fetch;
    return OTA_OK;
}

static bool memory_serves(const struct ota_scheme *scheme, const char *name)
{
    (void)scheme;
    return strcmp(name, "memory") == 0;
}

void memory_scheme_init(struct memory_scheme *memory, struct net *net)
{
    *memory = (struct memory_scheme){
        .scheme = {.serves = memory_serves, .open = memory_open},
        .net = net,
    };
}
