# SPDX-License-Identifier: Apache-2.0
# Finds the certificate library of Mbed TLS: target MbedTLS::mbedx509. MbedCrypto comes before it.
include(${CMAKE_CURRENT_LIST_DIR}/UpdraftFindPart.cmake)

updraft_find_part(MbedTlsX509
    TARGET MbedTLS::mbedx509
    HEADERS mbedtls/x509_crt.h
    LIBRARY mbedx509
    PACKAGE libmbedtls-dev
    NEEDS MbedTLS::mbedcrypto)
