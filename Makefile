# The README's words; the scripts of tool/, Meson and Ninja do the work.

PREFIX ?= /usr/local
DESTDIR ?=
SECONDS ?= 60
KILLS ?= 1000
T ?=

.DEFAULT_GOAL := help
.PHONY: help build run test one check fault bench asan tsan fuzz format install clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

build: ## build the program at build/integrator
	@tool/deps run
	@if [ -f build/build.ninja ]; then tool/build build; else tool/build build -Dtests=false; fi

run: build ## build, start the server, run the sample integration, keep serving
	@tool/run

test: ## build and run every test; ends with "N passed, N failed"
	@tool/deps test
	@tool/npm test
	@tool/build build -Dtests=true
	@tool/test build

one: ## run one test and show what it prints: make one T=core/str
	@test -n "$(T)" || { echo 'which? make one T=core/str (meson test -C build --list)' >&2; exit 2; }
	@tool/build build -Dtests=true
	@meson test -C build --no-rebuild --verbose "$(T)"

check: ## all checks of the house, then the tests under the sanitizers
	@tool/deps check
	@tool/check

asan: ## unit, wire and fuzz tests under AddressSanitizer and UBSan
	@tool/deps test
	@tool/sanitize asan

tsan: ## unit tests under ThreadSanitizer
	@tool/deps test
	@tool/sanitize tsan

fuzz: ## run each fuzzer for SECONDS=60
	@tool/deps fuzz
	@tool/fuzz $(SECONDS)

fault: ## kill the server KILLS=1000 times and fail every store operation; prints the SEED
	@tool/deps test
	@tool/npm test
	@tool/build build -Dtests=true
	@KILLS=$(KILLS) STRIDE=1 meson test -C build --no-rebuild --num-processes 4 --timeout-multiplier 0 --verbose \
		--suite fault

bench: ## build and run the benchmarks; bench/run NAME runs one again
	@tool/deps bench
	@tool/npm bench
	@tool/build build-bench -Dbench=true -Dtests=false
	@bench/run

format: ## let clang-format write the C files
	@find src test bench sample -name node_modules -prune -o -name '*.[ch]' -print | xargs clang-format-14 -i

install: build ## install under PREFIX=/usr/local, staged below DESTDIR
	@tool/build build -Dprefix=$(PREFIX)
	@DESTDIR=$(DESTDIR) meson install -C build --no-rebuild

clean: ## remove what was built
	@rm -rf build build-asan build-tsan build-fuzz build-bench
