# SPDX-License-Identifier: Apache-2.0
# What a person may choose at configure time, and the language and warning level that nobody may.

option(UPDRAFT_TESTS "Build the tests, the fuzz targets and the benches (host builds)" ON)
option(UPDRAFT_FUZZ "Link the fuzz targets with libFuzzer (needs clang)" OFF)
option(UPDRAFT_WERROR "Treat compiler warnings as errors" ON)

cmake_path(GET PROJECT_SOURCE_DIR PARENT_PATH updraft_parent_dir)
set(UPDRAFT_VECTORS "${updraft_parent_dir}/shared/vectors" CACHE PATH
    "Folder of recorded images that some tests read; those cases are skipped where it is absent")

set(UPDRAFT_BEARSSL_SOURCE_DIR "" CACHE PATH
    "BearSSL sources for cross builds; empty fetches Debian's source package")
set(UPDRAFT_HTTP_PARSER_SOURCE_DIR "" CACHE PATH
    "http-parser sources for cross builds; empty fetches Debian's source package")

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()

set(UPDRAFT_WARNINGS
    -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -Wundef -Wcast-qual -Wwrite-strings -Wvla -Wpointer-arith -Wformat=2)
if(UPDRAFT_WERROR)
    list(APPEND UPDRAFT_WARNINGS -Werror)
endif()
