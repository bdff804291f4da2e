# SPDX-License-Identifier: Apache-2.0
# The parts of other people that Updraft stands on. A host build links what the machine has installed
# (scripts/packages.txt); a cross build compiles BearSSL and http-parser from their sources.

if(CMAKE_CROSSCOMPILING)
    include(UpdraftCrossParts)
    return()
endif()

find_package(MbedCrypto REQUIRED)
find_package(MbedTlsX509 REQUIRED)
find_package(MbedTlsSsl REQUIRED)
find_package(BearSSL REQUIRED)
find_package(HttpParser REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(microhttpd REQUIRED IMPORTED_TARGET libmicrohttpd)
pkg_check_modules(avahi REQUIRED IMPORTED_TARGET avahi-core)
pkg_check_modules(cjson REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(p11kit REQUIRED IMPORTED_TARGET p11-kit-1)
if(UPDRAFT_TESTS)
    pkg_check_modules(cmocka REQUIRED IMPORTED_TARGET cmocka)
endif()
