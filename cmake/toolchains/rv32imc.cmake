# SPDX-License-Identifier: Apache-2.0
# 32-bit RISC-V without atomics, as in the ESP32-C3.
set(CMAKE_SYSTEM_PROCESSOR rv32imc)
set(updraft_triplet riscv64-unknown-elf)
# -msave-restore: prologues by call, as is usual where size counts.
set(updraft_cpu_flags -march=rv32imc -mabi=ilp32 -msave-restore)
include(${CMAKE_CURRENT_LIST_DIR}/bare-metal.cmake)
