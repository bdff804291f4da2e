/* SPDX-License-Identifier: Apache-2.0 */
/* Assertions of third-party code on a chip: there is nobody to tell, so they are compiled away. See
   ../README.md. */
#ifndef UPDRAFT_FREESTANDING_ASSERT_H
#define UPDRAFT_FREESTANDING_ASSERT_H

#define assert(condition) ((void)0)

#endif
