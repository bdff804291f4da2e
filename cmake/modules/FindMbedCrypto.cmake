# SPDX-License-Identifier: Apache-2.0
# Finds the crypto library of Mbed TLS (Debian: libmbedtls-dev), which has no CMake package of its own there:
# target MbedTLS::mbedcrypto.
if(TARGET MbedTLS::mbedcrypto)
    set(MbedCrypto_FOUND TRUE)
    return()
endif()

find_path(MbedCrypto_INCLUDE_DIR psa/crypto.h)
find_library(MbedCrypto_LIBRARY mbedcrypto)
mark_as_advanced(MbedCrypto_INCLUDE_DIR MbedCrypto_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(MbedCrypto
    REQUIRED_VARS MbedCrypto_LIBRARY MbedCrypto_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "On Debian: scripts/setup, or apt-get install libmbedtls-dev")

if(MbedCrypto_FOUND)
    add_library(MbedTLS::mbedcrypto UNKNOWN IMPORTED)
    set_target_properties(MbedTLS::mbedcrypto PROPERTIES
        IMPORTED_LOCATION "${MbedCrypto_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${MbedCrypto_INCLUDE_DIR}")
endif()
