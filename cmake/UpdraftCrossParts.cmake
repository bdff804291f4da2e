# SPDX-License-Identifier: Apache-2.0
# BearSSL and http-parser for a bare-metal target, from Debian's source packages or a folder of the caller's. Both are
# freestanding but for a handful of names, which cmake/freestanding/include declares: no C library's headers are used, so
# that every target compiles the same code.

# The folder of the sources of `package` in `variable`: what `option` names, or fetched into the build tree.
function(updraft_part_sources variable package option)
    if(${option})
        set(${variable} ${${option}} PARENT_SCOPE)
        return()
    endif()
    set(directory ${PROJECT_SOURCE_DIR}/build/sources/${package})
    execute_process(
        COMMAND ${PROJECT_SOURCE_DIR}/scripts/fetch-source ${package} ${directory}
        RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "The sources of ${package} could not be fetched. "
            "Where apt-get source is no option, give -D${option}=<folder with its sources>.")
    endif()
    set(${variable} ${directory} PARENT_SCOPE)
endfunction()

function(updraft_part target alias)
    add_library(${target} STATIC ${ARGN})
    target_include_directories(${target} SYSTEM PUBLIC
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/cmake/freestanding/include>
        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_compile_options(${target} PRIVATE -w)
    add_library(${alias} ALIAS ${target})
    set_property(GLOBAL APPEND PROPERTY UPDRAFT_BUNDLED ${target})
endfunction()

# Hashes, MACs, signatures and the integers under them; TLS and X.509 belong to other parts.
updraft_part_sources(bearssl_dir bearssl UPDRAFT_BEARSSL_SOURCE_DIR)
set(bearssl_sources)
foreach(subject IN ITEMS codec ec hash int mac rsa)
    file(GLOB subject_sources ${bearssl_dir}/src/${subject}/*.c)
    list(APPEND bearssl_sources ${subject_sources})
endforeach()
if(NOT bearssl_sources)
    message(FATAL_ERROR "${bearssl_dir} holds no BearSSL sources (src/hash/*.c and so on).")
endif()
updraft_part(bearssl BearSSL::BearSSL ${bearssl_sources})
target_include_directories(bearssl SYSTEM
    PUBLIC $<BUILD_INTERFACE:${bearssl_dir}/inc> PRIVATE ${bearssl_dir}/src)
file(GLOB bearssl_headers ${bearssl_dir}/inc/*.h)
set_target_properties(bearssl PROPERTIES PUBLIC_HEADER "${bearssl_headers}")

updraft_part_sources(http_parser_dir http-parser UPDRAFT_HTTP_PARSER_SOURCE_DIR)
updraft_part(http_parser HttpParser::HttpParser ${http_parser_dir}/http_parser.c)
target_include_directories(http_parser SYSTEM PUBLIC $<BUILD_INTERFACE:${http_parser_dir}>)
set_target_properties(http_parser PROPERTIES PUBLIC_HEADER ${http_parser_dir}/http_parser.h)
