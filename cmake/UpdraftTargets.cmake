# SPDX-License-Identifier: Apache-2.0
# One function for each kind of thing that is built. A CMakeLists.txt of a folder names its sources and nothing else.

# updraft_room(<name> SOURCES <file>... [USES <room>...])
#
# One freestanding room of the device library: an object library `updraft_<name>` that becomes a part of libupdraft.a. USES
# names the floors below that its sources may include from; `scripts/lint` holds them to it.
function(updraft_room name)
    cmake_parse_arguments(PARSE_ARGV 1 room "" "" "SOURCES;USES")
    set(target updraft_${name})
    add_library(${target} OBJECT ${room_SOURCES})
    updraft_device_settings(${target})
    updraft_freestanding(${target})
    set_property(GLOBAL APPEND PROPERTY UPDRAFT_ROOMS ${name})
    if(CMAKE_CROSSCOMPILING)
        target_compile_options(${target} PRIVATE -fstack-usage)
    endif()
    file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/rooms/${name}.objects
        CONTENT "$<JOIN:$<TARGET_OBJECTS:${target}>,\n>\n")
    string(JOIN " " line ${name} ${room_USES})
    set_property(GLOBAL APPEND PROPERTY UPDRAFT_FLOORS ${line})
endfunction()

# updraft_device_library(<target> SOURCES <file>... LIBRARIES <target>... [HOSTED])
#
# A device library beside libupdraft.a, one that not every program wants: a crypto backend, the agent. HOSTED: it uses the
# C library; without, `scripts/check-freestanding` holds it to what it holds the rooms to.
function(updraft_device_library target)
    cmake_parse_arguments(PARSE_ARGV 1 library "HOSTED" "" "SOURCES;LIBRARIES")
    add_library(${target} STATIC ${library_SOURCES})
    updraft_device_settings(${target})
    target_link_libraries(${target} PUBLIC updraft ${library_LIBRARIES})
    if(library_HOSTED)
        target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
    else()
        updraft_freestanding(${target})
        file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/rooms/${target}.objects
            CONTENT "$<JOIN:$<TARGET_OBJECTS:${target}>,\n>\n")
    endif()
    string(REGEX REPLACE "^updraft_" "" export_name ${target})
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${export_name})
    add_library(Updraft::${export_name} ALIAS ${target})
    set_property(GLOBAL APPEND PROPERTY UPDRAFT_INSTALLED ${target})
endfunction()

# No C library but the functions of base/mem.h. Those are what their names say: the compiler may load a word where one is
# copied, instead of a call.
function(updraft_freestanding target)
    target_compile_options(${target} PRIVATE -ffreestanding -fbuiltin)
endfunction()

# What every part of the device library is compiled with.
function(updraft_device_settings target)
    target_include_directories(${target}
        PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
        PRIVATE ${PROJECT_SOURCE_DIR}/lib)
    target_compile_options(${target} PRIVATE ${UPDRAFT_WARNINGS})
endfunction()

# updraft_host_library(<target> SOURCES <file>... [LIBRARIES <target>...])
#
# A library for this machine (a port, the server, the parts of the command). Its folder is its public include directory's
# parent: ports/posix/nor.h is included as "posix/nor.h", cli/csv.h as "cli/csv.h".
function(updraft_host_library target)
    cmake_parse_arguments(PARSE_ARGV 1 library "" "" "SOURCES;LIBRARIES")
    add_library(${target} STATIC ${library_SOURCES})
    updraft_host_settings(${target})
    target_include_directories(${target} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/..)
    target_link_libraries(${target} PUBLIC ${library_LIBRARIES})
endfunction()

# updraft_compile_again(<target> PARTS <target>... OPTIONS <option>... [LIBRARIES <target>...])
#
# A static library of the sources of other libraries, compiled once more with other options and without the preset's
# sanitizers or counters: for what must be small, or must run a million times. PARTS "rooms" stands for all rooms of
# lib/.
function(updraft_compile_again target)
    cmake_parse_arguments(PARSE_ARGV 1 again "" "" "PARTS;OPTIONS;LIBRARIES")
    if("rooms" IN_LIST again_PARTS)
        get_property(rooms GLOBAL PROPERTY UPDRAFT_ROOMS)
        list(TRANSFORM rooms PREPEND updraft_)
        list(REMOVE_ITEM again_PARTS rooms)
        list(APPEND again_PARTS ${rooms})
    endif()
    add_library(${target} STATIC)
    foreach(part IN LISTS again_PARTS)
        get_target_property(sources ${part} SOURCES)
        get_target_property(folder ${part} SOURCE_DIR)
        foreach(source IN LISTS sources)
            cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${folder})
            target_sources(${target} PRIVATE ${source})
        endforeach()
    endforeach()
    updraft_host_settings(${target})
    target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/ports)
    target_compile_options(${target} PUBLIC
        ${again_OPTIONS} -fno-sanitize=all -fno-profile-arcs -fno-test-coverage)
    target_link_options(${target} PUBLIC -fno-sanitize=all)
    target_link_libraries(${target} PUBLIC ${again_LIBRARIES})
endfunction()

# updraft_program(<target> SOURCES <file>... [LIBRARIES <target>...] [NAME <file name>])
#
# A program for this machine, found in <build>/bin.
function(updraft_program target)
    cmake_parse_arguments(PARSE_ARGV 1 program "" "NAME" "SOURCES;LIBRARIES")
    add_executable(${target} ${program_SOURCES})
    updraft_host_settings(${target})
    target_link_libraries(${target} PRIVATE ${program_LIBRARIES})
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
    if(program_NAME)
        set_target_properties(${target} PROPERTIES OUTPUT_NAME ${program_NAME})
    endif()
endfunction()

# Host code may use the library's private helpers ("base/bytes.h").
function(updraft_host_settings target)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/lib)
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
    target_compile_options(${target} PRIVATE ${UPDRAFT_WARNINGS})
endfunction()

# updraft_test(<name> SOURCES <file>... [LIBRARIES <target>...] [ARGUMENTS <word>...] [LABELS <label>...]
#              [TIMEOUT <seconds>])
#
# A cmocka program `test_<name>`, run by CTest as `<name>`. It may include headers of tests/. UPDRAFT_VECTORS is the
# folder of recorded images, as a string literal and in the environment.
function(updraft_test name)
    cmake_parse_arguments(PARSE_ARGV 1 test "" "TIMEOUT" "SOURCES;LIBRARIES;ARGUMENTS;LABELS")
    if(NOT test_TIMEOUT)
        set(test_TIMEOUT 300)
    endif()
    set(target test_${name})
    add_executable(${target} ${test_SOURCES})
    updraft_host_settings(${target})
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_compile_definitions(${target} PRIVATE UPDRAFT_VECTORS="${UPDRAFT_VECTORS}")
    target_link_libraries(${target} PRIVATE ${test_LIBRARIES} PkgConfig::cmocka)
    add_test(NAME ${name} COMMAND ${target} ${test_ARGUMENTS})
    set_tests_properties(${name} PROPERTIES
        TIMEOUT ${test_TIMEOUT} LABELS "${test_LABELS}" ENVIRONMENT "UPDRAFT_VECTORS=${UPDRAFT_VECTORS}")
endfunction()

# updraft_fuzzer(<name> SOURCES <file>... [LIBRARIES <target>...])
#
# A fuzz target `fuzz_<name>` with its seeds in tests/fuzz/corpus/<name>. With UPDRAFT_FUZZ it is a libFuzzer program;
# otherwise tests/fuzz/replay.c gives it a main function and CTest feeds it each seed, so that every test run also
# compiles the targets and replays what fuzzing once found.
function(updraft_fuzzer name)
    cmake_parse_arguments(PARSE_ARGV 1 fuzzer "" "" "SOURCES;LIBRARIES")
    set(target fuzz_${name})
    add_executable(${target} ${fuzzer_SOURCES})
    updraft_host_settings(${target})
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(${target} PRIVATE ${fuzzer_LIBRARIES})
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzzers)
    set_property(GLOBAL APPEND PROPERTY UPDRAFT_FUZZERS ${name})
    if(UPDRAFT_FUZZ)
        target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    else()
        target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/replay.c)
        add_test(NAME fuzz_seeds_${name} COMMAND ${target} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
        set_tests_properties(fuzz_seeds_${name} PROPERTIES TIMEOUT 300)
    endif()
endfunction()
