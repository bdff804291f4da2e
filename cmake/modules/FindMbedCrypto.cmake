# SPDX-License-Identifier: Apache-2.0
# Finds the crypto library of Mbed TLS: target MbedTLS::mbedcrypto.
include(${CMAKE_CURRENT_LIST_DIR}/UpdraftFindPart.cmake)

updraft_find_part(MbedCrypto
    TARGET MbedTLS::mbedcrypto
    HEADERS psa/crypto.h
    LIBRARY mbedcrypto
    PACKAGE libmbedtls-dev)
