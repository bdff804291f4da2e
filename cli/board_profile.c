/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles on the command line. */

#include "cli/board_profile.h"

#include <stdio.h>
#include <string.h>

#include "cli/image_names.h"
#include "cli/output.h"

bool board_profile_is_help(const struct command_call *call)
{
    const char *name = command_value(call, "profile");
    struct output_table table;
    struct profile profile;
    if (name == NULL || strcmp(name, "help") != 0) {
        return false;
    }
    output_table_begin(&table, "lrl");
    output_table_row(&table, "PROFILE", "FLASH", "WHAT IT IS");
    for (unsigned n = 0; profile_at(n, &profile); n++) {
        output_table_row(&table, profile.name, output_size(profile.flash_size).text, profile.title);
    }
    output_table_print(&table, stdout, "");
    return true;
}

static int unknown_profile(const struct command_call *call, const char *name)
{
    char list[512] = "";
    struct profile profile;
    size_t len = 0;
    for (unsigned n = 0; profile_at(n, &profile) && len < sizeof list; n++) {
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", n > 0 ? ", " : "",
                                profile.name);
    }
    return command_usage(call, "there is no profile \"%s\"; there are %s", name, list);
}

/* What is the profile's own business. */
static const char *option_too_many(const struct command_call *call)
{
    static const char *const others[] = {"partitions", "flash-size", "offset", "dialect",
                                         "anti-rollback"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (command_flag(call, others[i])) {
            return others[i];
        }
    }
    return NULL;
}

static int read_boot(const struct command_call *call, struct board_settings *settings)
{
    const char *boot = command_value(call, "boot");
    if (boot == NULL || strcmp(boot, "updraft") == 0) {
        return COMMAND_GOOD;
    }
    if (strcmp(boot, "eboot") != 0) {
        return command_usage(call, "--boot %s: write updraft or eboot", boot);
    }
    settings->by_eboot = true;
    return COMMAND_GOOD;
}

static int read_profile(const struct command_call *call, const struct profile *profile,
                        struct board_settings *settings)
{
    const char *other = option_too_many(call);
    if (other != NULL) {
        return command_usage(call, "--%s: not with --profile, which settles that", other);
    }
    if (!profile->any_chip && command_flag(call, "chip") && settings->chip.id != profile->chip) {
        return command_usage(call, "--chip %s: the profile %s is for another chip",
                             command_value(call, "chip"), profile->name);
    }
    if (settings->by_eboot && profile->esp8266 == NULL) {
        return command_usage(call, "--boot eboot: only with a profile esp8266-...");
    }
    if (!command_flag(call, "chip")) {
        settings->chip.id = profile->chip;
    }
    strcpy(settings->profile, profile->name);
    settings->flash_size = profile->flash_size;
    memcpy(settings->erase_sizes, profile->erase_sizes, sizeof settings->erase_sizes);
    settings->write_size = profile->write_size;
    settings->program_once = profile->program_once;
    settings->table_offset = 0;
    settings->rollback = settings->rollback && profile->staging.swap;
    return COMMAND_GOOD;
}

int board_profile_options(const struct command_call *call, struct board_settings *settings)
{
    const char *name = command_value(call, "profile");
    struct profile profile;
    int status = read_boot(call, settings);
    if (status != COMMAND_GOOD) {
        return status;
    }
    if (name == NULL) {
        return !command_flag(call, "boot")
                   ? COMMAND_GOOD
                   : command_usage(call, "--boot: only with a --profile esp8266-...");
    }
    return profile_find(name, &profile) ? read_profile(call, &profile, settings)
                                        : unknown_profile(call, name);
}
