# SPDX-License-Identifier: Apache-2.0
# updraft_find_part(<name> TARGET <target> HEADERS <file>... LIBRARY <name> PACKAGE <Debian package> [SUFFIXES <folder>...]
#                   [NEEDS <target>])
#
# The work of a find module for a library without a CMake package of its own: the imported target, <name>_FOUND, and what
# to install where something is missing. Not done again where the target is there already. A macro, because
# find_package_handle_standard_args sets what the caller of find_package reads.
include(FindPackageHandleStandardArgs)

macro(updraft_find_part name)
    cmake_parse_arguments(part "" "TARGET;LIBRARY;PACKAGE;NEEDS" "HEADERS;SUFFIXES" ${ARGN})
    if(TARGET ${part_TARGET})
        set(${name}_FOUND TRUE)
    else()
        find_library(${name}_LIBRARY ${part_LIBRARY})
        set(part_variables ${name}_LIBRARY)
        set(part_folders)
        foreach(header IN LISTS part_HEADERS)
            string(MAKE_C_IDENTIFIER "${name}_${header}_DIR" variable)
            find_path(${variable} ${header} PATH_SUFFIXES ${part_SUFFIXES})
            list(APPEND part_variables ${variable})
            list(APPEND part_folders ${${variable}})
        endforeach()
        mark_as_advanced(${part_variables})
        find_package_handle_standard_args(${name}
            REQUIRED_VARS ${part_variables}
            REASON_FAILURE_MESSAGE "On Debian: scripts/setup, or apt-get install ${part_PACKAGE}")
        if(${name}_FOUND)
            add_library(${part_TARGET} UNKNOWN IMPORTED)
            set_target_properties(${part_TARGET} PROPERTIES
                IMPORTED_LOCATION "${${name}_LIBRARY}"
                INTERFACE_INCLUDE_DIRECTORIES "${part_folders}"
                INTERFACE_LINK_LIBRARIES "${part_NEEDS}")
        endif()
    endif()
endmacro()
