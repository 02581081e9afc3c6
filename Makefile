# `make help` lists the targets. The build needs gcc (or clang), make, pkg-config and the
# libraries that `scripts/deps` installs; objects mirror the tree under build/.
# V=1 shows the commands, WERROR=1 makes warnings errors, SAN=address,undefined or SAN=thread
# adds sanitizers, CC=clang the other compiler; CROSS=arm-linux-gnueabi- SYSROOT=folder
# builds for another machine, STATIC=1 without shared libraries. TESTS=words picks tests.
CROSS   ?=
SAN     ?=
WERROR  ?=
SYSROOT ?=
STATIC  ?=
O      ?= build
ifeq ($(origin CC),default)
CC     := $(CROSS)gcc
endif
AR     := $(CROSS)ar
comma  := ,
ARCH   := $(shell $(CC) -dumpmachine 2>/dev/null || echo host)
TAG    := $(if $(SAN),-$(subst $(comma),-,$(SAN)))
B      := $(O)/$(ARCH)$(TAG)
BIN    := $(O)/bin$(if $(CROSS),-$(ARCH))$(TAG)

VERSION := $(shell cat VERSION)
CFLAGS  ?= -O2 -g
cppflags := -I. -isystem $(B) -D_GNU_SOURCE -DPIGENNY_VERSION='"$(VERSION)"' -MD -MP
cflags   := -std=c11 -Wall -Wextra -Wno-unused-parameter -Wshadow -Wstrict-prototypes \
	    -Wmissing-prototypes -Wvla -Wformat=2 -Wpointer-arith -Wcast-qual \
	    -Werror=implicit-function-declaration -fstack-protector-strong \
	    $(if $(WERROR),-Werror) $(if $(SYSROOT),--sysroot=$(SYSROOT)) \
	    $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)
ldflags  := $(if $(STATIC),-static)
PKG      := $(if $(SYSROOT),PKG_CONFIG_SYSROOT_DIR=$(SYSROOT) \
	    PKG_CONFIG_LIBDIR=$(SYSROOT)/usr/lib/$(ARCH)/pkgconfig) pkg-config
Q        := $(if $(V),,@)
note      = @$(if $(V),:,echo '  $(1)' $(patsubst $(O)/%,%,$@))

gencli   := $(wildcard node-genctl/gencli*.c)
common   := $(wildcard common/*.c)
genctl   := $(filter-out %/main.c $(gencli),$(wildcard node-genctl/*.c))
monitor  := $(filter-out %/main.c,$(wildcard node-monitor/*.c node-monitor/*/*.c))
sim      := $(filter-out %/main.c,$(wildcard test/sim/*.c)) $(wildcard test/rig/*.c test/oracle*.c)
units    := $(wildcard test/unit/test_*.c test/scenario/test_*.c)
helpers  := $(wildcard test/bench/*.c test/tools/*.c test/kernel/*.c)
targets  := $(wildcard test/fuzz/fuzz_*.c)
played   := $(filter-out $(targets),$(wildcard test/fuzz/*.c))
obj       = $(patsubst %.c,$(B)/%.o,$(1))
proto    := $(B)/proto/genctl.pb-c

.PHONY: all genctl run check check-kernel campaign coverage soak bench fuzz lint format install clean help deps units \
	tests kernel measurements fuzzers simulate simulator prove prove-wp
.SECONDARY:
all: $(BIN)/genctld $(BIN)/gencli $(BIN)/monitord $(BIN)/sitesim ## build the programs into build/bin (the default)
genctl: $(BIN)/genctld $(BIN)/gencli ## build only the engine node's programs (with CROSS= for another machine)

$(proto).c $(proto).h &: proto/genctl.proto
	@mkdir -p $(@D)
	$(call note,PROTO)
	$(Q)protoc-c --proto_path=proto --c_out=$(B)/proto $<
	@sed -i 's/(char \*)protobuf_c_empty/(char *)(uintptr_t)protobuf_c_empty/g' $(proto).h # for -Wcast-qual
$(proto).o: cflags += -Wno-cast-qual -fno-sanitize=shift,pointer-overflow
$(call obj,$(common) $(genctl) node-genctl/main.c $(gencli) $(monitor) node-monitor/main.c $(sim) \
	test/sim/main.c $(units) $(helpers) $(targets) $(played)): | $(proto).h

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call note,CC   )
	$(Q)$(CC) $(cppflags) $(CPPFLAGS) $(cflags) $(CFLAGS) -c -o $@ $<
$(B)/%.o: $(B)/%.c
	$(call note,CC   )
	$(Q)$(CC) $(cppflags) $(CPPFLAGS) $(cflags) $(CFLAGS) -c -o $@ $<
$(call obj,$(filter node-monitor/drivers/luxpower%,$(monitor)) $(sim) $(filter %luxpower.c,$(units)) \
	$(filter %/poll.c,$(helpers))): \
	cppflags += $(shell $(PKG) --cflags libmodbus)

# An archive is made anew, so that a deleted file does not live on in it.
$(B)/lib%.a:
	@rm -f $@
	$(call note,AR   )
	$(Q)$(AR) rcs $@ $^
$(B)/libcommon.a:  $(call obj,$(common)) $(proto).o
$(B)/libgenctl.a:  $(call obj,$(genctl))
$(B)/libmonitor.a: $(call obj,$(monitor))
$(B)/libsim.a:     $(call obj,$(sim))

define link
	@mkdir -p $(@D)
	$(call note,LINK )
	$(Q)$(CC) $(cflags) $(CFLAGS) $(ldflags) $(LDFLAGS) -o $@ $(filter %.o,$^) \
		$(filter %/libplayed.a,$^) $(filter-out %/libplayed.a,$(filter %.a,$^)) $(1)
endef
base = -lprotobuf-c -lconfig -levent_core -levent_extra
$(BIN)/genctld: $(call obj,node-genctl/main.c) $(B)/libgenctl.a $(B)/libcommon.a
	$(call link,$(base) -li2c)
$(BIN)/gencli: $(call obj,$(gencli)) $(B)/libgenctl.a $(B)/libcommon.a
	$(call link,$(base))
$(BIN)/monitord: $(call obj,node-monitor/main.c) $(B)/libmonitor.a $(B)/libcommon.a
	$(call link,$(base) -lmodbus -pthread -lm)
$(BIN)/sitesim: $(call obj,test/sim/main.c) $(B)/libsim.a $(B)/libmonitor.a $(B)/libcommon.a
	$(call link,$(base) -lmodbus -pthread -lm)

# Each test and helper links the shipped objects and takes what it needs; no main.o is in a library.
$(B)/test/%: $(B)/test/%.o $(B)/libsim.a $(B)/libgenctl.a $(B)/libmonitor.a $(B)/libcommon.a
	$(call link,-lcmocka $(base) -li2c -lmodbus -pthread -lm)
# The whole site in one process: the shipped objects, with their system calls led to
# test/simulate. monitord is linked in twice, so that a second one has its own variables.
simulate := $(wildcard test/simulate/*.c)
calls    := poll socketpair send recv shutdown close socket bind listen accept4 open read write pread \
	    pwrite fsync fdatasync fstat lstat mkdir unlink flock ioctl signalfd sigprocmask kill \
	    waitpid getpid getppid _exit exit abort mlockall sched_setscheduler nanosleep getrandom \
	    options_start
monitord := $(call obj,$(filter-out %/status.c %/view.c %/watch.c %/trial.c %/replay.c \
	    %/series.c node-monitor/drivers/%,$(monitor)))
$(call obj,$(simulate)): | $(proto).h
$(call obj,test/simulate/memory.c): cflags += -fno-builtin -Wno-cast-align
$(B)/test/simulate/genctld.o: $(call obj,node-genctl/main.c)
	$(call note,COPY )
	$(Q)$(CROSS)objcopy --redefine-sym main=genctld_main $< $@
$(B)/test/simulate/monitord-%.o: $(monitord)
	@mkdir -p $(@D)
	$(call note,COPY )
	$(Q)$(CC) -r -nostdlib -o $@ $^
	$(Q)$(CROSS)objcopy --redefine-sym schedule_run=schedule_run_$* \
		--keep-global-symbol=schedule_run_$* $@
$(B)/test/simulate/simulate: $(call obj,$(simulate) test/oracle.c test/oracle_rules.c test/oracle_times.c \
	test/sim/modio.c test/sim/engine.c) $(B)/test/simulate/genctld.o \
	$(B)/test/simulate/monitord-first.o $(B)/test/simulate/monitord-second.o \
	$(B)/libgenctl.a $(B)/libmonitor.a $(B)/libcommon.a
	$(call link,$(patsubst %,-Wl$(comma)--wrap=%,$(calls)) -lprotobuf-c -lconfig -lm)
# The pure parts once more, with the times of test/prove/node-genctl/times.h put before theirs.
proved := $(patsubst %,$(B)/proved/%.o,sequence inputs interlock interlock_rules interlock_watch ledger \
	    model canon pack search live main oracle oracle_rules oracle_times)
vpath %.c node-genctl test/prove test
$(B)/proved/%.o: %.c
	@mkdir -p $(@D)
	$(call note,CC   )
	$(Q)$(CC) -Itest/prove $(cppflags) -DORACLE_PULSES=4 $(cflags) -c -o $@ $<
$(B)/test/prove/prove: $(proved) $(B)/test/prove/scale.o $(B)/libgenctl.a $(B)/libcommon.a
	$(call link,-lconfig)
prove: $(B)/test/prove/prove ## every reachable state of the pure parts before the oracle (unfinished)
	@$(B)/test/prove/prove
simulator: $(B)/test/simulate/simulate ## build the simulation of the whole site
simulate: simulator ## SEED=n YEARS=n: run it
	@$(B)/test/simulate/simulate $(if $(SEED),--seed $(SEED)) --years $(or $(YEARS),1)

# A fuzz target takes what is played to it before what is shipped; fuzz_link plays no link. With
# clang and SAN=fuzzer-no-link,... it is libFuzzer's program, else one that replays its corpus.
$(B)/libplayed.a: $(call obj,$(filter-out %/replay.c,$(played)))
$(B)/test/fuzz/fuzz_%: $(B)/test/fuzz/fuzz_%.o \
	$(if $(findstring fuzzer,$(SAN)),,$(B)/test/fuzz/replay.o) \
	$(B)/libgenctl.a $(B)/libmonitor.a $(B)/libcommon.a
	$(call link,$(if $(findstring fuzzer,$(SAN)),-fsanitize=fuzzer) $(base) -li2c -lmodbus -pthread -lm)
$(patsubst %.c,$(B)/%,$(filter-out %/fuzz_link.c,$(targets))): $(B)/libplayed.a
$(B)/test/fuzz/fuzz_link: $(B)/test/fuzz/fuzz.o
fuzzers: $(patsubst %.c,$(B)/%,$(targets))
units: $(patsubst %.c,$(B)/%,$(units) $(helpers) $(targets)) all ## build the test programs

# A fresh system has no compiler before deps has run, so what follows it is another make.
again = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
deps:
	@scripts/deps
run: deps ## watch the pair work on a simulated site (Ctrl-C ends it)
	@$(again) all
	@scripts/demo $(BIN)
check: deps ## install what is missing, build, run the tests (under 10 minutes)
	@$(again) tests
tests: units $(if $(SAN),,simulator)
	@sh scripts/check-layers
	@B=$(B) BIN=$(BIN) /usr/bin/python3 test/run.py $(TESTS)
check-kernel: deps ## run genctld on a real kernel's I2C in an emulated machine (Debian on amd64)
	@scripts/deps kernel || echo "check-kernel: qemu cannot be had"
	@scripts/campaign kernel || { [ $$? = 77 ] && echo "skipped"; }
kernel: all $(B)/test/kernel/cp2112
	@B=$(B) BIN=$(BIN) /usr/bin/python3 test/run.py --only kernel $(TESTS)
campaign: deps ## sanitizers, clang, lint, kills, a real kernel (under 45 minutes with check)
	@scripts/campaign
soak: deps ## once a release, fresh seeds: 1,000 kills (under 50 minutes; KILLS=, SEED=)
	@$(again) all
	@BIN=$(BIN) test/campaign/random_kills.py --trials $(or $(KILLS),1000) $(if $(SEED),--seed $(SEED))
coverage: deps ## lines and branches of the pure parts that the tests run: all of them
	@scripts/coverage
prove-wp: ## contracts of the pure parts before Frama-C, where it is installed
	@scripts/deps wp; scripts/prove-wp || [ $$? = 77 ]
fuzz: deps ## fuzz each target for T seconds (60)
	@scripts/deps lint; test/fuzz/run $(if $(T),$(T),60) $(TESTS) || [ $$? = 77 ]
bench: deps ## measure speed and memory against bare baselines
	@$(again) measurements
measurements: units
	@B=$(B) BIN=$(BIN) /usr/bin/python3 test/bench/bench.py
lint: $(proto).h ## cppcheck, clang-tidy, layers and sizes
	@B=$(B) scripts/lint
format: ## clang-format every source file in place
	clang-format -i $(shell git ls-files '*.[ch]')
install: all ## install into $(DESTDIR)$(PREFIX)
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' BIN=$(BIN) scripts/install
clean: ## remove everything the build made
	rm -rf $(O)
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22
-include $(shell find $(B) -name '*.d' 2>/dev/null)
