# SPDX-License-Identifier: Apache-2.0
# Finds the TLS library of Mbed TLS: target MbedTLS::mbedtls. MbedTlsX509 comes before it.
include(${CMAKE_CURRENT_LIST_DIR}/UpdraftFindPart.cmake)

updraft_find_part(MbedTlsSsl
    TARGET MbedTLS::mbedtls
    HEADERS mbedtls/ssl.h
    LIBRARY mbedtls
    PACKAGE libmbedtls-dev
    NEEDS MbedTLS::mbedx509)
