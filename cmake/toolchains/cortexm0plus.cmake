# SPDX-License-Identifier: Apache-2.0
# Arm Cortex-M0+, as in the RP2040.
set(CMAKE_SYSTEM_PROCESSOR cortexm0plus)
set(updraft_triplet arm-none-eabi)
set(updraft_cpu_flags -mcpu=cortex-m0plus -mthumb)
include(${CMAKE_CURRENT_LIST_DIR}/bare-metal.cmake)
