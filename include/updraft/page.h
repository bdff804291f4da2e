/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PAGE_H
#define UPDRAFT_PAGE_H

/* The device's update page (web/device/index.html), as a web server sends it: HTML, compressed with
   gzip, complete in itself. A library of its own, `updraft_page`. */

#include <stddef.h>

extern const unsigned char ota_update_page[];
extern const size_t ota_update_page_size; /* bytes */

#endif
