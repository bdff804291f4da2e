/* SPDX-License-Identifier: Apache-2.0 */
/* A small image by each way in, with the network failing, under the sanitizers. updraft-network
   does the same with a real one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "network/explore.h"

#define IMAGE_SIZE 20000u
#define STEP 997u

static const struct ota_crypto *const crypto = &ota_crypto_openssl;

struct setting {
    struct net *net;
    struct world *world;
    struct board_image images[3];
    struct explored explored;
};

static int set_up(void **state)
{
    static struct setting setting;

    memset(&setting, 0, sizeof setting);
    for (unsigned i = 0; i < 3; i++) {
        static const char *const versions[] = {"1.0.0", "2.0.0", "3.0.0"};
        image_forge(&setting.images[i], crypto, IMAGE_SIZE + 1000 * i, versions[i]);
    }
    setting.net = net_new();
    setting.world = world_new(setting.net, crypto, 2 * IMAGE_SIZE);
    *state = &setting;
    return 0;
}

static int tear_down(void **state)
{
    struct setting *setting = *state;

    world_free(setting->world);
    net_free(setting->net);
    for (unsigned i = 0; i < 3; i++) {
        image_free(&setting->images[i]);
    }
    return 0;
}

static void check(const struct setting *setting, bool is_well)
{
    const struct explored *explored = &setting->explored;

    if (!is_well) {
        fail_msg("%s", setting->world->failure);
    }
    print_message(
        "%u cuts, %u pauses, %u sizes of pieces, %u datagrams, %u clients at once, %u tries\n",
        explored->cuts, explored->stalls, explored->pieces, explored->datagrams, explored->peers,
        (unsigned)setting->world->tries);
}

static void a_connection_may_end_anywhere(void **state)
{
    struct setting *setting = *state;

    for (size_t i = 0; i < way_count; i++) {
        check(setting, explore_cuts(setting->world, &ways[i], &setting->images[1], STEP, 12,
                                    &setting->explored));
    }
}

static void bytes_may_come_one_by_one(void **state)
{
    struct setting *setting = *state;

    for (size_t i = 0; i < way_count; i++) {
        check(setting,
              explore_pieces(setting->world, &ways[i], &setting->images[1], &setting->explored));
    }
}

static void pauses_are_borne_up_to_the_time_out(void **state)
{
    struct setting *setting = *state;

    for (size_t i = 0; i < way_count; i++) {
        check(setting,
              explore_stalls(setting->world, &ways[i], &setting->images[1], &setting->explored));
    }
}

static void each_datagram_may_be_lost_doubled_or_late(void **state)
{
    struct setting *setting = *state;

    check(setting, explore_datagrams(setting->world, way_named("espota"), &setting->images[1],
                                     &setting->explored));
    check(setting, explore_datagrams(setting->world, way_named("espota-password"),
                                     &setting->images[1], &setting->explored));
}

static void of_fifty_clients_one_is_served(void **state)
{
    struct setting *setting = *state;

    check(setting, explore_crowd(setting->world, setting->images, 50, &setting->explored));
}

static void silent_clients_keep_nobody_away(void **state)
{
    struct setting *setting = *state;

    for (size_t i = 0; i < way_count; i++) {
        check(setting, explore_silent_clients(setting->world, &ways[i], &setting->images[1],
                                              &setting->explored));
    }
}

static void the_ways_take_turns(void **state)
{
    struct setting *setting = *state;

    check(setting, explore_turns(setting->world, setting->images, 45, &setting->explored));
    assert_int_equal(net_open_everywhere(setting->net), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_ways_take_turns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_connection_may_end_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_may_come_one_by_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pauses_are_borne_up_to_the_time_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_datagram_may_be_lost_doubled_or_late, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(of_fifty_clients_one_is_served, set_up, tear_down),
        cmocka_unit_test_setup_teardown(silent_clients_keep_nobody_away, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
