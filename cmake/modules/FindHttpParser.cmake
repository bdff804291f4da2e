# SPDX-License-Identifier: Apache-2.0
# Finds http-parser (Debian: libhttp-parser-dev), which has no CMake package of its own there: target HttpParser::HttpParser.
if(TARGET HttpParser::HttpParser)
    set(HttpParser_FOUND TRUE)
    return()
endif()

find_path(HttpParser_INCLUDE_DIR http_parser.h)
find_library(HttpParser_LIBRARY http_parser)
mark_as_advanced(HttpParser_INCLUDE_DIR HttpParser_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(HttpParser
    REQUIRED_VARS HttpParser_LIBRARY HttpParser_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "On Debian: scripts/setup, or apt-get install libhttp-parser-dev")

if(HttpParser_FOUND)
    add_library(HttpParser::HttpParser UNKNOWN IMPORTED)
    set_target_properties(HttpParser::HttpParser PROPERTIES
        IMPORTED_LOCATION "${HttpParser_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${HttpParser_INCLUDE_DIR}")
endif()
