/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/key_header.h"

#include <stdio.h>

#include "cli/files.h"

#define BYTES_A_LINE 12

static void put_bytes(FILE *out, const char *indent, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (i % BYTES_A_LINE == 0) {
            fprintf(out, "%s%s", i > 0 ? "\n" : "", indent);
        }
        fprintf(out, "%s0x%02x,", i % BYTES_A_LINE == 0 ? "" : " ", bytes[i]);
    }
    fputs("\n", out);
}

static void put_top(FILE *out, const struct key_file *keys, size_t count)
{
    fputs("/* The public halves of the keys that this firmware trusts, made by updraft:", out);
    for (size_t i = 0; i < count; i++) {
        char type[KEY_FILE_TYPE_SIZE];
        fprintf(out, "%s %s", i > 0 ? "," : "", key_file_type(&keys[i].public_key, type));
    }
    fprintf(out,
            "%s. */\n"
            "#ifndef UPDRAFT_SIGNING_KEYS_H\n"
            "#define UPDRAFT_SIGNING_KEYS_H\n\n"
            "#include <updraft/signature.h>\n\n",
            count == 0 ? " none" : "");
}

static void put_key(FILE *out, const struct ota_public_key *key, size_t number)
{
    static const char *const types[] = {"NONE", "RSA", "P192", "P256", "P384"};
    fprintf(out,
            "    {\n"
            "        .type = OTA_KEY_%s,\n"
            "        .bytes = updraft_signing_key_%zu,\n"
            "        .len = sizeof updraft_signing_key_%zu,\n",
            types[key->type], number, number);
    if (key->type == OTA_KEY_RSA) {
        fprintf(out, "        .exponent = %lu,\n", (unsigned long)key->exponent);
    }
    fputs("    },\n", out);
}

static void put_keys(FILE *out, const struct key_file *keys, size_t count)
{
    fprintf(out, "#define UPDRAFT_SIGNING_KEYS %zu\n\n", count);
    for (size_t i = 0; i < count; i++) {
        const struct ota_public_key *key = &keys[i].public_key;
        fprintf(out, "static const uint8_t updraft_signing_key_%zu[%zu] = {\n", i, key->len);
        put_bytes(out, "    ", key->bytes, key->len);
        fputs("};\n\n", out);
    }
    fputs("static const struct ota_public_key updraft_signing_keys[] = {\n", out);
    for (size_t i = 0; i < count; i++) {
        put_key(out, &keys[i].public_key, i);
    }
    /* C has no array without elements. */
    fputs(count == 0 ? "    {.type = OTA_KEY_NONE},\n};\n\n" : "};\n\n", out);
}

static void put_digests(FILE *out, const struct key_file *keys, size_t count)
{
    size_t digests = 0;
    for (size_t i = 0; i < count; i++) {
        digests += keys[i].has_digest;
    }
    fprintf(out,
            "#define UPDRAFT_SIGNING_DIGESTS %zu\n\n"
            "static const uint8_t updraft_signing_digests[][OTA_SHA256_SIZE] = {\n",
            digests);
    for (size_t i = 0; i < count; i++) {
        if (keys[i].has_digest) {
            fputs("    {\n", out);
            put_bytes(out, "        ", keys[i].digest, sizeof(keys[i].digest));
            fputs("    },\n", out);
        }
    }
    fputs(digests == 0 ? "    {0},\n};\n\n#endif\n" : "};\n\n#endif\n", out);
}

int key_header_write(const struct key_file *keys, size_t count, const char *path)
{
    struct files_writer writer;
    if (files_writer_open(&writer, path) != 0) {
        return 1;
    }
    put_top(writer.stream, keys, count);
    put_keys(writer.stream, keys, count);
    put_digests(writer.stream, keys, count);
    return files_writer_commit(&writer);
}
