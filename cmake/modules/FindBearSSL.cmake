# SPDX-License-Identifier: Apache-2.0
# Finds BearSSL (Debian: libbearssl-dev), which has no CMake package of its own there: target BearSSL::BearSSL.
if(TARGET BearSSL::BearSSL)
    set(BearSSL_FOUND TRUE)
    return()
endif()

# Debian keeps bearssl.h in /usr/include and the headers of its parts in /usr/include/bearssl; BearSSL's own tree has all
# in one folder. With both on the path, <bearssl_hash.h> is found either way.
find_path(BearSSL_INCLUDE_DIR bearssl.h)
find_path(BearSSL_HASH_INCLUDE_DIR bearssl_hash.h PATH_SUFFIXES bearssl)
find_library(BearSSL_LIBRARY bearssl)
mark_as_advanced(BearSSL_INCLUDE_DIR BearSSL_HASH_INCLUDE_DIR BearSSL_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(BearSSL
    REQUIRED_VARS BearSSL_LIBRARY BearSSL_INCLUDE_DIR BearSSL_HASH_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "On Debian: scripts/setup, or apt-get install libbearssl-dev")

if(BearSSL_FOUND)
    add_library(BearSSL::BearSSL UNKNOWN IMPORTED)
    set_target_properties(BearSSL::BearSSL PROPERTIES
        IMPORTED_LOCATION "${BearSSL_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${BearSSL_INCLUDE_DIR};${BearSSL_HASH_INCLUDE_DIR}")
endif()
