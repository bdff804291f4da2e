# SPDX-License-Identifier: Apache-2.0
# `cmake --install`: headers, libraries, the CMake package (find_package(Updraft)) and updraft.pc.
include(CMakePackageConfigHelpers)

get_property(installed GLOBAL PROPERTY UPDRAFT_INSTALLED)
get_property(bundled GLOBAL PROPERTY UPDRAFT_BUNDLED)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Updraft)

install(DIRECTORY include/updraft DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(TARGETS ${installed} EXPORT UpdraftTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT UpdraftTargets NAMESPACE Updraft:: DESTINATION ${package_dir})

# A cross build brings the third-party libraries that it compiled; a host build leaves them to the system.
if(bundled)
    install(TARGETS ${bundled} EXPORT UpdraftTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        PUBLIC_HEADER DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endif()

set(updraft_parts)
if(NOT bundled)
    set(updraft_parts HttpParser BearSSL MbedCrypto MbedTlsX509 MbedTlsSsl OpenSSL)
endif()
configure_package_config_file(cmake/UpdraftConfig.cmake.in UpdraftConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(UpdraftConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
    ${PROJECT_BINARY_DIR}/UpdraftConfig.cmake ${PROJECT_BINARY_DIR}/UpdraftConfigVersion.cmake
    cmake/UpdraftFirmware.cmake
    cmake/modules/UpdraftFindPart.cmake cmake/modules/FindBearSSL.cmake cmake/modules/FindHttpParser.cmake
    cmake/modules/FindMbedCrypto.cmake cmake/modules/FindMbedTlsX509.cmake cmake/modules/FindMbedTlsSsl.cmake
    DESTINATION ${package_dir})

# Relative to itself, so that `cmake --install --prefix` and DESTDIR need no second configure.
file(RELATIVE_PATH updraft_pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" updraft_pc_to_prefix ${updraft_pc_to_prefix})
configure_file(cmake/updraft.pc.in updraft.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/updraft.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
