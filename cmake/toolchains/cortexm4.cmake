# SPDX-License-Identifier: Apache-2.0
# Arm Cortex-M4 without floating-point registers in calls, as in the nRF52 and STM32F4.
set(CMAKE_SYSTEM_PROCESSOR cortexm4)
set(updraft_triplet arm-none-eabi)
set(updraft_cpu_flags -mcpu=cortex-m4 -mthumb)
include(${CMAKE_CURRENT_LIST_DIR}/bare-metal.cmake)
