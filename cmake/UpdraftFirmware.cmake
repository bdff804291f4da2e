# SPDX-License-Identifier: Apache-2.0
# Firmware as a part of the build: the image, its signature, its compressed form and its description; and the public half of
# the signing key in the firmware itself.
#
#     find_package(Updraft REQUIRED)
#     add_executable(garden main.c)
#     updraft_add_firmware(garden CHIP host PROJECT garden VERSION 2.3.1 COMPRESS)
#
# updraft_add_firmware(<target>
#     [CHIP <chip> PROJECT <name> VERSION <text> [MAKE_OPTIONS <word>...]] | [IMAGE <file>]
#     [SCHEME arduino|arduino-legacy|secure-boot-v1|secure-boot-v2] [KEY <file>...] [PUBLIC_KEY <file>...]
#     [REQUIRE_KEY] [COMPRESS] [OUTPUT_DIRECTORY <folder>] [OUTPUT_NAME <name>] [DEPENDS <file>...])
#
# The image is made by `updraft image make` from the executable <target> (with MAKE_OPTIONS, such as its segments); or it is
# the IMAGE that another tool has made. It is left in OUTPUT_DIRECTORY (the present binary folder) as OUTPUT_NAME (the
# target's name) with
#
#     .bin            the image
#     .bin.signed     signed, if there is a KEY (private.key beside the CMakeLists.txt, as in an Arduino sketch)
#     .bin.gz         compressed, with COMPRESS
#     .bin.gz.signed, .bin.signed.gz    both, in the order that the scheme asks for
#     .json           what `updraft image info` says of the last of them
#
# The last of them is the one to be sent: the target's property UPDRAFT_IMAGE. What was done is said when the project is
# configured and when the image is built. A key file that is not there is no error, so that whoever has no key can build:
# unless REQUIRE_KEY says so. Keys that come and go are noticed. A key may be a URI, pkcs11:…
#
# The firmware gets a header, <updraft_signing_keys.h>, with the public keys that it is to trust: PUBLIC_KEY (public.key),
# or else those of KEY. It is there without keys, too (`updraft key show --help`). What was signed is checked by those keys,
# so that no firmware is built whose successor it would refuse.

if(TARGET updraft_command)
    set(UPDRAFT_COMMAND updraft_command)
else()
    get_filename_component(updraft_prefix ${CMAKE_CURRENT_LIST_DIR}/../../.. ABSOLUTE)
    find_program(UPDRAFT_COMMAND updraft HINTS ${updraft_prefix}/bin ${updraft_prefix}/../bin NO_CMAKE_FIND_ROOT_PATH
        DOC "The command that makes, signs and compresses firmware images")
    mark_as_advanced(UPDRAFT_COMMAND)
endif()

# Those of the keys that are there, in `variable`. Looked for again at each build.
function(_updraft_present_keys variable)
    set(present)
    foreach(key IN LISTS ARGN)
        if(key MATCHES "^[a-z0-9+]+:")
            list(APPEND present ${key})
            continue()
        endif()
        cmake_path(ABSOLUTE_PATH key BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
        file(GLOB found CONFIGURE_DEPENDS ${key})
        list(APPEND present ${found})
    endforeach()
    set(${variable} ${present} PARENT_SCOPE)
endfunction()

# The files among the keys: what is built from them is built again when they change.
function(_updraft_key_files variable)
    set(files ${ARGN})
    list(FILTER files EXCLUDE REGEX "^[a-z0-9+]+:[^/]")
    set(${variable} ${files} PARENT_SCOPE)
endfunction()

# The header with the keys that the firmware trusts.
function(_updraft_key_header target)
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/${target}.updraft)
    set(header ${folder}/updraft_signing_keys.h)
    _updraft_key_files(files ${ARGN})
    file(MAKE_DIRECTORY ${folder})
    # A list of keys that grows shorter has no newer file in it.
    file(CONFIGURE OUTPUT ${folder}/keys.txt CONTENT "${ARGN}\n" @ONLY)
    add_custom_command(OUTPUT ${header}
        COMMAND ${UPDRAFT_COMMAND} key show --as c --output ${header} ${ARGN}
        DEPENDS ${files} ${folder}/keys.txt ${UPDRAFT_COMMAND}
        COMMENT "Signing keys for ${target}" VERBATIM)
    add_custom_target(${target}-keys DEPENDS ${header}) # for tools that read sources before a build
    target_sources(${target} PRIVATE ${header})
    target_include_directories(${target} PRIVATE ${folder})
endfunction()

# The image: `output`, from the executable or from another tool's file.
function(_updraft_image target output chip project version image options depends)
    if(image)
        add_custom_command(OUTPUT ${output}
            COMMAND ${CMAKE_COMMAND} -E copy_if_different ${image} ${output}
            COMMAND ${CMAKE_COMMAND} -E touch ${output}
            DEPENDS ${target} ${image} ${depends}
            COMMENT "Image ${output}" VERBATIM)
        return()
    endif()
    set(program $<TARGET_FILE:${target}>)
    set(strip)
    if(chip STREQUAL "host")
        # The image is the program itself: what only a debugger wants stays out.
        set(program ${CMAKE_CURRENT_BINARY_DIR}/${target}.updraft/${target}.elf)
        set(strip COMMAND ${CMAKE_STRIP} -o ${program} $<TARGET_FILE:${target}>)
    endif()
    add_custom_command(OUTPUT ${output}
        ${strip}
        COMMAND ${UPDRAFT_COMMAND} image make --chip ${chip} --project ${project} --version ${version} --elf ${program}
            ${options} --output ${output}
        DEPENDS ${target} ${depends} ${UPDRAFT_COMMAND}
        COMMENT "Image ${output}" VERBATIM)
endfunction()

# From `input`, signed and checked; the result's name in `variable`.
function(_updraft_sign variable input scheme keys public_keys)
    set(output ${input}.signed)
    set(key_words ${keys})
    list(TRANSFORM key_words PREPEND --key=)
    set(public_words ${public_keys})
    list(TRANSFORM public_words PREPEND --key=)
    # The signature alone is checked: the rest was, when it was made.
    _updraft_key_files(files ${keys} ${public_keys})
    add_custom_command(OUTPUT ${output}
        COMMAND ${UPDRAFT_COMMAND} image sign --scheme ${scheme} ${key_words} --output ${output} ${input}
        COMMAND ${UPDRAFT_COMMAND} image verify ${public_words} ${output}
        DEPENDS ${input} ${files} ${UPDRAFT_COMMAND}
        COMMENT "Signing ${output}" VERBATIM)
    set(${variable} ${output} PARENT_SCOPE)
endfunction()

function(_updraft_compress variable input)
    set(output ${input}.gz)
    add_custom_command(OUTPUT ${output}
        COMMAND ${UPDRAFT_COMMAND} image compress --output ${output} ${input}
        DEPENDS ${input} ${UPDRAFT_COMMAND}
        COMMENT "Compressing ${output}" VERBATIM)
    set(${variable} ${output} PARENT_SCOPE)
endfunction()

# Arduino's signature is over what travels, Secure Boot's over the image.
function(_updraft_wrap variable done_variable input scheme keys public_keys compress)
    set(done)
    set(result ${input})
    if(compress AND scheme MATCHES "^arduino")
        _updraft_compress(result ${result})
        list(APPEND done "compressed")
    endif()
    if(keys)
        _updraft_sign(result ${result} ${scheme} "${keys}" "${public_keys}")
        list(JOIN keys ", " names)
        list(APPEND done "signed (${scheme}) with ${names}")
    else()
        list(APPEND done "not signed")
    endif()
    if(compress AND NOT scheme MATCHES "^arduino")
        _updraft_compress(result ${result})
        list(APPEND done "compressed")
    endif()
    list(JOIN done ", " done)
    set(${variable} ${result} PARENT_SCOPE)
    set(${done_variable} ${done} PARENT_SCOPE)
endfunction()

function(_updraft_check_arguments target)
    if(NOT UPDRAFT_COMMAND)
        message(FATAL_ERROR "updraft_add_firmware needs the command `updraft`. Where it is not on the path, say "
            "-DUPDRAFT_COMMAND=<file>.")
    endif()
    if(NOT TARGET ${target})
        message(FATAL_ERROR "updraft_add_firmware: there is no target ${target}")
    endif()
    if(firmware_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "updraft_add_firmware(${target}): unknown words: ${firmware_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT firmware_IMAGE AND NOT (firmware_CHIP AND firmware_PROJECT AND firmware_VERSION))
        message(FATAL_ERROR "updraft_add_firmware(${target}): give CHIP, PROJECT and VERSION, or IMAGE")
    endif()
    if(NOT firmware_SCHEME MATCHES "^(arduino|arduino-legacy|secure-boot-v1|secure-boot-v2)$")
        message(FATAL_ERROR "updraft_add_firmware(${target}): SCHEME ${firmware_SCHEME} is none of arduino, "
            "arduino-legacy, secure-boot-v1 and secure-boot-v2")
    endif()
endfunction()

function(updraft_add_firmware target)
    cmake_parse_arguments(PARSE_ARGV 1 firmware "REQUIRE_KEY;COMPRESS"
        "CHIP;PROJECT;VERSION;IMAGE;SCHEME;OUTPUT_DIRECTORY;OUTPUT_NAME" "MAKE_OPTIONS;KEY;PUBLIC_KEY;DEPENDS")
    if(NOT firmware_SCHEME)
        set(firmware_SCHEME arduino)
    endif()
    if(NOT firmware_KEY)
        set(firmware_KEY private.key)
    endif()
    if(NOT firmware_PUBLIC_KEY)
        set(firmware_PUBLIC_KEY public.key)
    endif()
    if(NOT firmware_OUTPUT_DIRECTORY)
        set(firmware_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
    endif()
    if(NOT firmware_OUTPUT_NAME)
        set(firmware_OUTPUT_NAME ${target})
    endif()
    _updraft_check_arguments(${target})

    _updraft_present_keys(keys ${firmware_KEY})
    _updraft_present_keys(public_keys ${firmware_PUBLIC_KEY})
    if(NOT public_keys)
        set(public_keys ${keys})
    endif()
    if(firmware_REQUIRE_KEY AND NOT keys)
        message(FATAL_ERROR "updraft_add_firmware(${target}): there is no key to sign with: ${firmware_KEY}")
    endif()
    _updraft_key_header(${target} ${public_keys})

    file(MAKE_DIRECTORY ${firmware_OUTPUT_DIRECTORY})
    set(base ${firmware_OUTPUT_DIRECTORY}/${firmware_OUTPUT_NAME})
    _updraft_image(${target} ${base}.bin "${firmware_CHIP}" "${firmware_PROJECT}" "${firmware_VERSION}"
        "${firmware_IMAGE}" "${firmware_MAKE_OPTIONS}" "${firmware_DEPENDS}")
    _updraft_wrap(result done ${base}.bin ${firmware_SCHEME} "${keys}" "${public_keys}" ${firmware_COMPRESS})
    add_custom_command(OUTPUT ${base}.json
        COMMAND ${UPDRAFT_COMMAND} image info --json ${result} > ${base}.json
        DEPENDS ${result}
        COMMENT "${firmware_OUTPUT_NAME}: ${done}" VERBATIM)
    add_custom_target(${target}-image ALL DEPENDS ${result} ${base}.json)
    set_target_properties(${target} PROPERTIES UPDRAFT_IMAGE ${result})
    message(STATUS "Firmware ${firmware_OUTPUT_NAME}: ${done}")
endfunction()
