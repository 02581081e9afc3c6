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
cppflags := -I. -isystem $(B) -D_GNU_SOURCE -DPIGENNY_VERSION='"$(VERSION)"' -MMD -MP
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
helpers  := $(wildcard test/bench/*.c test/tools/*.c)
obj       = $(patsubst %.c,$(B)/%.o,$(1))
proto    := $(B)/proto/genctl.pb-c

.PHONY: all genctl run check campaign bench lint format install clean help deps units \
	tests measurements
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
	test/sim/main.c $(units) $(helpers)): | $(proto).h

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
	$(Q)$(CC) $(cflags) $(CFLAGS) $(ldflags) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(1)
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
simulator: $(B)/test/simulate/simulate ## build the simulation of the whole site
simulate: simulator ## SEED=n YEARS=n: run it
	@$(B)/test/simulate/simulate $(if $(SEED),--seed $(SEED)) --years $(or $(YEARS),1)
units: $(patsubst %.c,$(B)/%,$(units) $(helpers)) all ## build the test programs

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
campaign: deps ## the long tests: sanitizers, clang, lint, ARMv5 (under 45 minutes with check)
	@scripts/campaign
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
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18
-include $(shell find $(B) -name '*.d' 2>/dev/null)
