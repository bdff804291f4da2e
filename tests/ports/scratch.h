/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PORTS_SCRATCH_H
#define PORTS_SCRATCH_H

/* A temporary folder for a test that makes files, as a cmocka group's setup and teardown. The paths
   are the folder's until the next call of scratch_path. */

int scratch_setup(void **state);
int scratch_teardown(void **state);

/* The path of a file in the folder. */
const char *scratch_path(const char *name);

/* Removes a folder of files, whatever is in it. */
void scratch_remove(const char *path);

#endif
