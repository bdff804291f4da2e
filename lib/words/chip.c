/* SPDX-License-Identifier: Apache-2.0 */
/* The names of chips as people and build tools write them. */
#include <stddef.h>

#include <updraft/chip.h>

/* Takes the next character of a name that counts, in lower case; '\0' at its end. */
static char next_letter(const char **name)
{
    char letter;
    do {
        letter = **name;
        *name += letter != '\0';
    } while (letter == '-' || letter == '_');
    return (char)(letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter);
}

static bool is_same(const char *a, const char *b)
{
    char letter;
    do {
        letter = next_letter(&a);
        if (letter != next_letter(&b)) {
            return false;
        }
    } while (letter != '\0');
    return true;
}

const struct ota_chip_facts *ota_chip_named(const char *name)
{
    const struct ota_chip_facts *chip;
    for (unsigned n = 0; (chip = ota_chip_facts_at(n)) != NULL; n++) {
        if (is_same(name, chip->name)) {
            break;
        }
    }
    return chip;
}
