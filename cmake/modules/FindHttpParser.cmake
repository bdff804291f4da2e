# SPDX-License-Identifier: Apache-2.0
# Finds http-parser: target HttpParser::HttpParser.
include(${CMAKE_CURRENT_LIST_DIR}/UpdraftFindPart.cmake)

updraft_find_part(HttpParser
    TARGET HttpParser::HttpParser
    HEADERS http_parser.h
    LIBRARY http_parser
    PACKAGE libhttp-parser-dev)
