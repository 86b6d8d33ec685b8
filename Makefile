# One Makefile. `make` builds, `make test` proves, `make lint` judges, `make demo` shows.
#
#   make [VARIANT=debug|release|asan|tsan|coverage] [O=build] [V=1] [DEPS=none]
#   make install [DESTDIR=] [PREFIX=/usr/local]        make bench, test-FOLDER, campaign
#
# What is missing comes by apt first (deploy/deps); DEPS=none is for those who brought it themselves.
#
VARIANT ?= debug
CC      ?= cc
O       ?= build
B       := $(O)/$(VARIANT)
GEN     := $(O)/gen

# What each layer may include and link with; anything else is a cycle in the making.
LAYERS       := proto storage rpc journal node cli
DIR_journal  := node/journal
folder        = $(or $(DIR_$(1)),$(1))
USES_proto   := proto
USES_storage := storage proto
USES_rpc     := rpc proto
USES_journal := journal storage proto
USES_node    := node journal storage rpc proto
USES_cli     := cli journal storage rpc proto
# Tests of a folder link what the layer of that name links; the others take everything.
USES_lib     := $(USES_node)

PACKAGES   := lmdb libnghttp2 libprotobuf-c libuv jansson inih
RAFT       := 0.22.1
PKG_CONFIG ?= pkg-config
# Asked once, and only when a recipe wants to know: by then `deps` has brought the libraries.
once        = $(eval $(1) := $(2))$($(1))
# Libraries' headers are system headers: their warnings are theirs.
PKG_CFLAGS  = $(call once,PKG_CFLAGS,$(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(PACKAGES))))
PKG_LIBS    = $(call once,PKG_LIBS,$(shell $(PKG_CONFIG) --libs $(PACKAGES)))
# mbedTLS has no pkg-config file in Debian 12. libraft is linked statically: only then can its version
# be asked for.
LIBS        = -l:libraft.a $(PKG_LIBS) -lmbedtls -lmbedx509 -lmbedcrypto
TEST_LIBS   = -lcmocka

W := -Wall -Wextra -Wpedantic -Werror \
     -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
     -Wvla -Wundef -Wformat=2 -Wwrite-strings -Wpointer-arith -Wnull-dereference \
     -Wdouble-promotion -Wimplicit-fallthrough -Wswitch-enum -Wdate-time
# An error's text may end early; that is what snprintf is for.
W += -Wno-format-truncation

# Assertions stay on in every variant: NDEBUG is never defined here.
FLAGS_debug    := -Og -g3
FLAGS_release  := -O2 -g -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
                  -fcf-protection -fPIE
FLAGS_asan     := -O1 -g3 -fsanitize=address,undefined -fno-sanitize-recover=all \
                  -fno-omit-frame-pointer
FLAGS_tsan     := -O1 -g3 -fsanitize=thread -fno-omit-frame-pointer
FLAGS_coverage := -O0 -g3 --coverage
LDFLAGS_release  := -pie -Wl,-z,relro,-z,now
LDFLAGS_asan     := $(FLAGS_asan)
LDFLAGS_tsan     := $(FLAGS_tsan)
LDFLAGS_coverage := --coverage

SEEN_CFLAGS = -std=c11 -D_GNU_SOURCE -DZHURNAL_FDS='"$(FDS)"' -I. $(PKG_CFLAGS) -isystem $(GEN)
ALL_CFLAGS  = $(SEEN_CFLAGS) -include proto/banned.h $(W) $(FLAGS_$(VARIANT)) $(CFLAGS)
ALL_LDFLAGS = -pthread $(LDFLAGS_$(VARIANT)) $(LDFLAGS)

# ---- what there is ----
PROTOS   := $(patsubst proto/%,%,$(wildcard proto/*/*/*.proto proto/*/*/*/*.proto))
PB_C     := $(PROTOS:%.proto=$(GEN)/%.pb-c.c)
PB_O     := $(PROTOS:%.proto=$(B)/gen/%.pb-c.o)
FDS      := $(GEN)/zhurnal.fds
MAINS    := node/main.c cli/main.c
objects   = $(patsubst %.c,$(B)/%.o,$(filter-out $(MAINS),$(wildcard $(call folder,$(1))/*.c)))
SCRIPTS  := $(wildcard tests/*/test_*.sh tests/*/test_*.py)
SOURCES  := $(foreach l,$(LAYERS),$(wildcard $(call folder,$(l))/*.c))
TEST_LIB := $(patsubst %.c,$(B)/%.o,$(wildcard tests/lib/*.c))
SCHOOL   := $(patsubst %.c,$(B)/%.o,$(wildcard tests/lib/school*.c))
TEST_DIRS := $(sort $(patsubst tests/%/,%,$(dir $(wildcard tests/*/test_*))))
TESTS    := $(patsubst %.c,$(B)/%,$(wildcard tests/*/test_*.c))
FORMATTED = $(SOURCES) $(foreach l,$(LAYERS),$(wildcard $(call folder,$(l))/*.h)) $(wildcard tests/*/*.[ch])
PROGRAMS := $(patsubst %,$(B)/%,$(if $(wildcard node/main.c),zhurnald) $(if $(wildcard cli/main.c),zhurnalctl))

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

.PHONY: all deps deps-test deps-lint deps-node try-npm test asan tsan coverage format lint layers \
        lint-format lint-c lint-cppcheck lint-proto demo run bench install clean
.DELETE_ON_ERROR:
all: $(PROGRAMS)

# ---- what we stand on: a look at dpkg's list unless something is missing ----
# All that the goals need comes at once, or is named at once to who has to ask root for it.
goal   = $(if $(filter $(1),$(MAKECMDGOALS)),$(2))
NEEDED = build $(call goal,test test-% campaign lint lint-c,test) $(call goal,format lint lint-%,lint)
LATER  = $(call goal,test test-interop lint lint-proto,node)
deps:
ifneq ($(DEPS),none)
	$(Q)deploy/deps $(NEEDED) -- $(LATER)
endif
	$(Q)$(PKG_CONFIG) --exact-version=$(RAFT) raft || \
	    { echo "libraft must be exactly $(RAFT), this is $$($(PKG_CONFIG) --modversion raft): make deps" >&2; exit 1; }
deps-test deps-lint deps-node: deps-%: $(if $(filter none,$(DEPS)),,deps)
ifneq ($(DEPS),none)
	$(Q)deploy/deps $*
endif

# ---- generated from proto/ ----
$(GEN)/%.pb-c.c $(GEN)/%.pb-c.h: proto/%.proto | deps
	$(call say,PROTO,$*)
	@mkdir -p $(GEN)
	$(Q)protoc -Iproto --c_out=$(GEN) $*.proto
# The descriptors of everything above, for stream keywords, JSON and reflection.
$(FDS): $(PROTOS:%=proto/%) | deps
	@mkdir -p $(GEN)
	$(Q)protoc -Iproto --include_imports --descriptor_set_out=$@ $(PROTOS)
$(B)/gen/%.o: $(GEN)/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -I$(GEN) -O2 -g $(FLAGS_$(VARIANT)) -MMD -MP -c -o $@ $<
# This file carries the descriptor set in the binary.
$(B)/proto/descriptors.o: $(FDS)

$(B)/%.o: %.c Makefile | $(PB_C) $(FDS)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MD -MP -c -o $@ $<

# One archive a layer.
define layer
$(B)/lib$(1).a: $(call objects,$(1)) $(if $(filter proto,$(1)),$(PB_O))
	@rm -f $$@ && mkdir -p $$(@D)
	$(Q)ar rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call layer,$(l))))
$(B)/libtests.a: $(TEST_LIB)
	@rm -f $@ && mkdir -p $(@D)
	$(Q)ar rcs $@ $^
archives = $(patsubst %,$(B)/lib%.a,$(1))

$(B)/zhurnald: $(B)/node/main.o $(call archives,$(USES_node))
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
$(B)/zhurnalctl: $(B)/cli/main.o $(call archives,$(USES_cli))
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# Tools of tests, the demo and benchmarks: the lifelike school's entries; a log of any length. They need
# nothing that only tests need.
TOOLS := $(B)/school_day $(B)/long_log
$(B)/school_day: $(B)/tests/demo/school_day.o
$(B)/long_log: $(B)/tests/process/long_log.o
$(TOOLS): $(SCHOOL) $(call archives,$(USES_node))
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

# ---- tests: a test exists by being a file tests/*/test_*.c, .sh or .py ----
$(filter-out $(SCHOOL),$(TEST_LIB)) $(TESTS:%=%.o): | deps-test
NPM := $(O)/npm/installed
define test_dir
$(patsubst %.c,$(B)/%,$(wildcard tests/$(1)/test_*.c)): $(B)/%: $(B)/%.o $(B)/libtests.a \
    $(call archives,$(or $(USES_$(1)),$(USES_lib)))
	$$(call say,LD,$$@)
	$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $$(LIBS) $$(TEST_LIBS)
.PHONY: test-$(1)
test-$(1): $(patsubst %.c,$(B)/%,$(wildcard tests/$(1)/test_*.c)) $(if $(wildcard tests/$(1)/test_*.sh tests/$(1)/test_*.py),all $(TOOLS) $(if $(filter interop,$(1)),try-npm))
	$(Q)V=1 NODE_PATH=$(abspath $(O)/npm/node_modules) tests/run $(B) $(patsubst %.c,$(B)/%,$(wildcard tests/$(1)/test_*.c)) $(wildcard tests/$(1)/test_*.sh tests/$(1)/test_*.py)
endef
$(foreach d,$(TEST_DIRS),$(eval $(call test_dir,$(d))))

test: $(TESTS) all $(TOOLS) deps-test $(if $(wildcard tests/interop/test_*),try-npm)
	$(Q)V=$(V) NODE_PATH=$(abspath $(O)/npm/node_modules) tests/run $(B) $(TESTS) $(SCRIPTS)

# Long: many lives of the simulated cluster, many kills of real ones. What came of it stands in
# docs/CAMPAIGNS.md.
LIVES ?= 20000
KILLS ?= 100
.PHONY: campaign
campaign: $(B)/tests/node/test_simulation all $(TOOLS)
	$(Q)ZHURNAL_SIM_LIVES=$(LIVES) $<
	$(Q)PATH="$(abspath $(B)):$$PATH" ZHURNAL_KILLS=$(KILLS) tests/process/test_kills.sh

asan tsan coverage:
	$(Q)$(MAKE) --no-print-directory VARIANT=$@ test

# ---- npm's tools: buf for lint, grpc-js for interop; outside the tree, as the lock file says ----
$(NPM): tests/interop/package.json tests/interop/package-lock.json | deps-node
	$(call say,NPM,$(@D))
	@mkdir -p $(O)/npm && cp $^ $(O)/npm
	$(Q)cd $(O)/npm && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
# For tests: without it one of them fails, by itself.
try-npm: | deps
	$(Q)$(MAKE) --no-print-directory $(NPM) || echo "npm brought nothing: what Node.js calls is not tested" >&2

# ---- lint: a file is judged again when it, or a header it sees, has changed ----
LINTED  = $(patsubst %.c,$(O)/lint/%.ok,$(filter %.c,$(FORMATTED)))

format: deps-lint
	$(Q)clang-format -i $(FORMATTED)

# One that fails does not keep the others from judging.
lint: deps deps-lint deps-test
	$(Q)$(MAKE) --no-print-directory -k layers lint-format lint-c lint-cppcheck lint-proto

lint-format: deps-lint
	$(Q)clang-format --dry-run --Werror $(FORMATTED)

lint-c: deps-lint deps-test $(PB_C) $(FDS)
	$(Q)$(MAKE) --no-print-directory -k -j$$(nproc) --output-sync=target DEPS=none $(LINTED)

lint-cppcheck: deps-lint
	$(Q)cppcheck --quiet --std=c11 --error-exitcode=1 --enable=warning,portability,performance \
	    --inline-suppr --suppress=missingIncludeSystem -I. \
	    --include=/usr/include/$$($(CC) -print-multiarch)/sys/queue.h proto storage rpc node cli

lint-proto: $(NPM) deps-lint
	$(Q)$(O)/npm/node_modules/.bin/buf lint proto --path proto/zhurnal

# Without banned.h here, so that it hides no missing include. gcc's analyzer finds most at -Og; cmocka's
# assertions jump where no analyzer sees it, so both leave tests alone.
$(O)/lint/%.ok: %.c .clang-tidy Makefile
	$(call say,LINT,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SEEN_CFLAGS) $(W) $(W_LINT) -Og -MMD -MP -MF $(@:.ok=.d) -MT $@ -c -o /dev/null $<
	$(Q)clang-tidy --quiet $(if $(filter tests/%,$<),--checks=-clang-analyzer-*) $< -- \
	    $(SEEN_CFLAGS) $(filter-out -Werror,$(W)) 2>/dev/null
	@touch $@
W_LINT = -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init -Walloca \
         -Wcast-align=strict $(if $(filter tests/%,$<),,-fanalyzer)

layers:
	$(Q).ci/check

# ---- to see it work ----
demo run: all $(TOOLS)
	$(Q)PATH="$(abspath $(B)):$$PATH" exec tests/demo/$@.sh

# Rates and latencies, side by side in one run, of the build that users get.
bench:
	$(Q)$(MAKE) --no-print-directory VARIANT=release bench-here
.PHONY: bench-here
bench-here: all $(TOOLS)
	$(Q)PATH="$(abspath $(B)):$$PATH" tests/bench/append.sh

# ---- to use it ----
PREFIX  ?= /usr/local
# systemd looks into lib/ of /usr and of /usr/local; with another PREFIX say which.
SYSTEMD ?= $(PREFIX)/lib
INSTALL ?= install
CONF    := /etc/zhurnal/zhurnald.conf
install:
	$(Q)$(MAKE) --no-print-directory VARIANT=release all
	$(INSTALL) -D -t $(DESTDIR)$(PREFIX)/bin $(O)/release/zhurnald $(O)/release/zhurnalctl
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man1 docs/zhurnalctl.1
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man8 docs/zhurnald.8
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/zhurnal docs/OPERATING.md deploy/zhurnald.conf
	$(INSTALL) -D -m 644 deploy/zhurnal.sysusers $(DESTDIR)$(SYSTEMD)/sysusers.d/zhurnal.conf
	sed 's|/usr/bin/zhurnald|$(PREFIX)/bin/zhurnald|' deploy/zhurnald.service | \
	    $(INSTALL) -D -m 644 /dev/stdin $(DESTDIR)$(SYSTEMD)/systemd/system/zhurnald.service
	[ -e $(DESTDIR)$(CONF) ] || $(INSTALL) -D -m 644 deploy/zhurnald.conf $(DESTDIR)$(CONF)

clean:
	$(Q)rm -rf $(O)

-include $(patsubst %.c,$(B)/%.d,$(SOURCES) $(wildcard tests/*/*.c)) $(PB_O:.o=.d) $(LINTED:.ok=.d)
