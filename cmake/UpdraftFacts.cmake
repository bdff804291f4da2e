# SPDX-License-Identifier: Apache-2.0
# What the scripts want to know of a build, as text files in the build folder.

# floors.txt: a room and the rooms it may include from, a line each (scripts/lint).
get_property(floors GLOBAL PROPERTY UPDRAFT_FLOORS)
string(JOIN "\n" lines ${floors})
file(WRITE ${PROJECT_BINARY_DIR}/floors.txt "${lines}\n")

# fuzzers.txt: the fuzz targets, a line each (scripts/fuzz).
get_property(fuzzers GLOBAL PROPERTY UPDRAFT_FUZZERS)
string(JOIN "\n" lines ${fuzzers})
file(WRITE ${PROJECT_BINARY_DIR}/fuzzers.txt "${lines}\n")

# rooms/<name>.objects, the object files of each room, are written by updraft_room (scripts/footprint).
