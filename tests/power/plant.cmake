# SPDX-License-Identifier: Apache-2.0
# cmake -DFAULT=<file> -DROOT=<source tree> -DOUTPUT=<file> -P plant.cmake
#
# Copies a source of the library with a fault planted in it. A .fault file says what is wrong (lines with #), which
# source it is (FILE), with which arguments updraft-power finds it soon (ARGUMENTS, if not the usual ones), and what is
# replaced (FIND, WITH, END; any number of times). A text that is not there exactly once is an error: the source has
# changed, and the fault has to follow it.
cmake_minimum_required(VERSION 3.25)
file(READ ${FAULT} fault)

function(cut text from to result rest)
    string(FIND "${text}" "${from}" start)
    if(start EQUAL -1)
        set(${result} "" PARENT_SCOPE)
        set(${rest} "" PARENT_SCOPE)
        return()
    endif()
    string(LENGTH "${from}" length)
    math(EXPR start "${start} + ${length}")
    string(SUBSTRING "${text}" ${start} -1 text)
    string(FIND "${text}" "${to}" end)
    if(end EQUAL -1)
        message(FATAL_ERROR "${FAULT}: no \"${to}\" after \"${from}\"")
    endif()
    string(SUBSTRING "${text}" 0 ${end} found)
    string(SUBSTRING "${text}" ${end} -1 text)
    set(${result} "${found}" PARENT_SCOPE)
    set(${rest} "${text}" PARENT_SCOPE)
endfunction()

cut("${fault}" "FILE " "\n" source rest)
file(READ ${ROOT}/${source} text)
while(TRUE)
    cut("${rest}" "\nFIND\n" "\nWITH\n" find rest)
    if(find STREQUAL "")
        break()
    endif()
    cut("${rest}" "\nWITH\n" "\nEND\n" replace rest)
    string(FIND "${text}" "${find}" first)
    string(FIND "${text}" "${find}" last REVERSE)
    if(first EQUAL -1)
        message(FATAL_ERROR "${FAULT}: ${source} does not contain:\n${find}")
    elseif(NOT first EQUAL last)
        message(FATAL_ERROR "${FAULT}: ${source} contains more than once:\n${find}")
    endif()
    string(REPLACE "${find}" "${replace}" text "${text}")
endwhile()
file(WRITE ${OUTPUT} "${text}")
