# SPDX-License-Identifier: Apache-2.0
# What the bare-metal targets have in common. A toolchain file sets `updraft_triplet` and `updraft_cpu_flags` and includes
# this. The compiler's own headers (<stdint.h> and the like) are all there is: -nostdinc keeps an installed C library's
# out, so that a hosted header in a freestanding room is an error on every target.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

find_program(updraft_compiler ${updraft_triplet}-gcc REQUIRED)
set(CMAKE_C_COMPILER ${updraft_compiler})

execute_process(COMMAND ${updraft_compiler} -print-file-name=include
    OUTPUT_VARIABLE updraft_gcc_include OUTPUT_STRIP_TRAILING_WHITESPACE)
execute_process(COMMAND ${updraft_compiler} -print-file-name=include-fixed
    OUTPUT_VARIABLE updraft_gcc_include_fixed OUTPUT_STRIP_TRAILING_WHITESPACE)

string(JOIN " " CMAKE_C_FLAGS_INIT ${updraft_cpu_flags}
    -ffreestanding -ffunction-sections -fdata-sections
    -nostdinc -isystem ${updraft_gcc_include} -isystem ${updraft_gcc_include_fixed})

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
