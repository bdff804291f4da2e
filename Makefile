# SPDX-License-Identifier: Apache-2.0
# What people type. The build itself is CMake's: see CMakePresets.json.

PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
POWER_CUTS ?= 1000000
SKIPS ?= 0/40
BENCH ?= full
CONFIGURE = scripts/configure

.PHONY: help run test test-power test-skips bench footprint fuzz lint format coverage mutate install clean
.NOTPARALLEL:

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

run: ## watch a virtual board update itself over HTTP
	@scripts/setup build test
	@scripts/run

test: ## build with sanitizers and run every test
	@scripts/setup build test peers
	@$(CONFIGURE) dev
	@cmake --build --preset dev
	@ctest --preset dev
	@sed 's/.*"power_cuts": \([0-9]*\).*/The power was cut \1 times./' build/dev/power.json

test-power: ## cut the power a million times (POWER_CUTS=N for another number)
	@scripts/setup build test
	@$(CONFIGURE) release
	@cmake --build --preset release --target updraft_power
	@build/release/bin/updraft-power --full --cuts $(POWER_CUTS) --json build/power.json

test-skips: ## skip each instruction of the bootloader in turn (SKIPS=0/1 for all of the arithmetic of curves, too: hours)
	@scripts/setup build test cross skips
	@scripts/test-skips $(SKIPS)

bench: ## measure time, wear and memory; writes build/bench.json (BENCH=short for a quick look)
	@scripts/setup build test bench
	@$(CONFIGURE) release
	@cmake --build --preset release --target updraft_bench
	@build/release/bin/updraft-bench $(if $(filter short,$(BENCH)),--short) --json build/bench.json

footprint: ## code and RAM size on four processors; writes build/footprint.json
	@scripts/setup build cross
	@scripts/footprint

fuzz: ## fuzz each target (FUZZ_SECONDS=60 each)
	@scripts/setup build test fuzz
	@scripts/fuzz $(FUZZ_SECONDS)

lint: ## formatting and static analysis
	@scripts/setup build test lint
	@scripts/lint

format: ## lay the sources out
	@scripts/setup lint
	@scripts/format

coverage: ## which branches the tests take; the critical rooms must be whole
	@scripts/setup build test lint
	@scripts/coverage

mutate: ## change the bootloader's sources one operator at a time: some test must fail
	@scripts/setup build test
	@scripts/mutate

install: ## build and install into PREFIX (DESTDIR works too)
	@scripts/setup build test
	@$(CONFIGURE) release
	@cmake --build --preset release
	@cmake --install build/release --prefix $(PREFIX)

clean: ## remove everything that was built
	@rm -rf build
