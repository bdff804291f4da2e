# SPDX-License-Identifier: Apache-2.0
# Finds BearSSL: target BearSSL::BearSSL.
include(${CMAKE_CURRENT_LIST_DIR}/UpdraftFindPart.cmake)

# Debian keeps bearssl.h in /usr/include and the headers of its parts in /usr/include/bearssl; BearSSL's own tree has all
# in one folder. With both on the path, <bearssl_hash.h> is found either way.
updraft_find_part(BearSSL
    TARGET BearSSL::BearSSL
    HEADERS bearssl.h bearssl_hash.h
    SUFFIXES bearssl
    LIBRARY bearssl
    PACKAGE libbearssl-dev)
