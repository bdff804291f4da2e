# SPDX-License-Identifier: Apache-2.0
# Tensilica Xtensa LX106, the ESP8266. Literals go next to the code, as the ESP8266's flash mapping wants.
set(CMAKE_SYSTEM_PROCESSOR lx106)
set(updraft_triplet xtensa-lx106-elf)
set(updraft_cpu_flags -mlongcalls -mtext-section-literals)
include(${CMAKE_CURRENT_LIST_DIR}/bare-metal.cmake)
