/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/way.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void note(struct way *way, char letter)
{
    size_t len = strlen(way->calls);

    assert_true(len + 1 < sizeof way->calls);
    way->calls[len] = letter;
}

static enum ota_err begin(struct ota_service *service, struct ota_agent *agent)
{
    struct way *way = (struct way *)service;

    note(way, 'b');
    way->agent = agent;
    return way->begin_err;
}

static uint32_t poll(struct ota_service *service, uint32_t now_ms)
{
    struct way *way = (struct way *)service;
    void (*turn)(struct way *) = way->turn;

    way->polls++;
    way->polled_ms = now_ms;
    way->turn = NULL;
    way->is_polled = true;
    if (turn != NULL) {
        turn(way);
    }
    way->is_polled = false;
    return way->wait_ms;
}

static void end(struct ota_service *service)
{
    struct way *way = (struct way *)service;

    assert_false(way->is_polled); /* never while it is at work */
    note(way, 'e');
}

static void pause(struct ota_service *service, bool paused)
{
    note((struct way *)service, paused ? 'P' : 'g');
}

static bool advert(struct ota_service *service, struct ota_advert *told)
{
    struct way *way = (struct way *)service;

    *told = way->advert;
    return way->has_advert;
}

void way_make(struct way *way, struct stage *stage, const char *name)
{
    struct ota_service **last = &stage->options.services;

    memset(way, 0, sizeof *way);
    way->service = (struct ota_service){
        .name = name, .begin = begin, .poll = poll, .end = end, .pause = pause, .advert = advert};
    way->wait_ms = UINT32_MAX;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = &way->service;
}

uint32_t way_does(struct way *way, void (*turn)(struct way *way))
{
    way->turn = turn;
    uint32_t wait_ms = ota_agent_poll(way->agent);
    assert_true(way->turn == NULL);
    return wait_ms;
}

static struct stage *stage_of(struct way *way)
{
    return way->agent->options.context;
}

void way_begin_half(struct way *way)
{
    const struct stage *stage = stage_of(way);
    const struct ota_arrival arrival = {.way = way->service.name,
                                        .size = (uint32_t)stage->image_len};

    assert_int_equal(ota_intake_begin(&way->agent->intake, &arrival), OTA_OK);
    assert_int_equal(ota_intake_write(&way->agent->intake, stage->image, stage->image_len / 2),
                     OTA_OK);
}

void way_finish(struct way *way)
{
    const struct stage *stage = stage_of(way);
    size_t half = stage->image_len / 2;
    struct ota_intake *intake = &way->agent->intake;

    assert_int_equal(ota_intake_write(intake, stage->image + half, stage->image_len - half),
                     OTA_OK);
    assert_int_equal(ota_intake_end(intake), OTA_OK);
    enum ota_err err = ota_intake_activate(intake);
    if (err == OTA_OK) {
        ota_agent_restart_in(way->agent, 500, OTA_RESTART_UPDATE);
    } else {
        assert_int_equal(err, OTA_ERR_HELD);
    }
}

void way_give_up(struct way *way)
{
    ota_intake_abort(&way->agent->intake);
}
