# SPDX-License-Identifier: Apache-2.0
# Compresses PAGE and writes it as a C array to SOURCE. Fails if it has outgrown what a small chip gives it.
set(limit 12288)
set(packed ${SOURCE}.gz)
execute_process(COMMAND gzip -9nc ${PAGE} OUTPUT_FILE ${packed} COMMAND_ERROR_IS_FATAL ANY)
file(SIZE ${packed} size)
if(size GREATER limit)
    message(FATAL_ERROR "${PAGE}: ${size} bytes compressed; the limit is ${limit}")
endif()
file(READ ${packed} digits HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${digits}")
file(WRITE ${SOURCE}.new
    "/* Made from ${PAGE}. */\n#include <updraft/page.h>\n\n"
    "const unsigned char ota_update_page[] = {${bytes}};\nconst size_t ota_update_page_size = sizeof ota_update_page;\n")
file(RENAME ${SOURCE}.new ${SOURCE})
