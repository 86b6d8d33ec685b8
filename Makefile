# One Makefile, no recursion. `make` builds, `make test` proves, `make lint` judges, `make demo` shows.
#
#   make [VARIANT=debug|release|asan|tsan|coverage] [V=1]
#
VARIANT ?= debug
CC      ?= cc
O       ?= build
B       := $(O)/$(VARIANT)
GEN     := $(O)/gen
PROTO_C ?= protoc-c
GRPC_PROTO ?= /usr/share/grpc-proto

# What each layer may include and link with; anything else is a cycle in the making.
LAYERS       := proto storage rpc journal node cli
DIR_journal  := node/journal
dir           = $(or $(DIR_$(1)),$(1))
USES_proto   := proto
USES_storage := storage proto
USES_rpc     := rpc proto
USES_journal := journal storage proto
USES_node    := node journal storage rpc proto
USES_cli     := cli journal storage rpc proto
# Tests of a folder link what the layer of that name links; the others take everything.
USES_lib     := $(USES_node)

PACKAGES   := lmdb libnghttp2 libprotobuf-c libuv jansson inih zlib
PKG_CONFIG ?= pkg-config
# Libraries' headers are system headers: their warnings are theirs.
LIB_CFLAGS = $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(PACKAGES) cmocka)) -isystem $(GEN)
# mbedTLS has no pkg-config file in Debian 12. libraft is linked statically: only then can its version
# be asked for.
LIBS       = -l:libraft.a $(shell $(PKG_CONFIG) --libs $(PACKAGES)) -lmbedtls -lmbedx509 -lmbedcrypto
TEST_LIBS  = $(shell $(PKG_CONFIG) --libs cmocka)

W := -Wall -Wextra -Wpedantic -Werror \
     -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
     -Wvla -Wundef -Wformat=2 -Wwrite-strings -Wpointer-arith -Wnull-dereference \
     -Wdouble-promotion -Wimplicit-fallthrough -Wswitch-enum -Wdate-time

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

ALL_CFLAGS  = -std=c11 -D_GNU_SOURCE -I. $(LIB_CFLAGS) $(W) $(FLAGS_$(VARIANT)) $(CFLAGS)
ALL_LDFLAGS = -pthread $(LDFLAGS_$(VARIANT)) $(LDFLAGS)

# ---- what there is ----
PROTOS   := $(patsubst proto/%,%,$(wildcard proto/zhurnal/*/*.proto proto/zhurnal/*/*/*.proto)) \
            grpc/health/v1/health.proto
PB_C     := $(PROTOS:%.proto=$(GEN)/%.pb-c.c)
PB_O     := $(PROTOS:%.proto=$(B)/gen/%.pb-c.o)
FDS      := $(GEN)/zhurnal.fds
MAINS    := node/main.c cli/main.c
objects   = $(patsubst %.c,$(B)/%.o,$(filter-out $(MAINS),$(wildcard $(call dir,$(1))/*.c)))
SOURCES  := $(foreach l,$(LAYERS),$(wildcard $(call dir,$(l))/*.c))
TEST_LIB := $(patsubst %.c,$(B)/%.o,$(wildcard tests/lib/*.c))
TEST_DIRS := $(sort $(patsubst tests/%/,%,$(dir $(wildcard tests/*/test_*.c))))
TESTS    := $(patsubst %.c,$(B)/%,$(wildcard tests/*/test_*.c))
FORMATTED = $(SOURCES) $(foreach l,$(LAYERS),$(wildcard $(call dir,$(l))/*.h)) $(wildcard tests/*/*.[ch])
PROGRAMS := $(patsubst %,$(B)/%,$(if $(wildcard node/main.c),zhurnald) $(if $(wildcard cli/main.c),zhurnalctl))

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

.PHONY: all deps test asan tsan coverage format lint layers demo run bench clean
.SECONDARY:
.DELETE_ON_ERROR:
all: $(PROGRAMS)

# ---- generated from proto/ ----
$(GEN)/%.pb-c.c: proto/%.proto
	$(call say,PROTO,$*)
	@mkdir -p $(GEN)
	$(Q)$(PROTO_C) -Iproto -I$(GRPC_PROTO) --c_out=$(GEN) $*.proto
$(GEN)/grpc/%.pb-c.c:
	$(call say,PROTO,grpc/$*)
	@mkdir -p $(GEN)
	$(Q)$(PROTO_C) -I$(GRPC_PROTO) --c_out=$(GEN) grpc/$*.proto
# The descriptors of everything above, for stream keywords, JSON and reflection.
$(FDS): $(wildcard proto/zhurnal/*/*.proto proto/zhurnal/*/*/*.proto)
	@mkdir -p $(GEN)
	$(Q)protoc -Iproto -I$(GRPC_PROTO) --include_imports --descriptor_set_out=$@ $(PROTOS)
$(B)/gen/%.o: $(GEN)/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -I$(GEN) -O2 -g $(FLAGS_$(VARIANT)) -c -o $@ $<
# descriptors.S carries the descriptor set in the binary.
$(B)/proto/descriptors.o: $(FDS)

$(B)/%.o: %.c Makefile | $(PB_C) $(FDS)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -DZHURNAL_FDS='"$(FDS)"' -MMD -MP -c -o $@ $<

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

# ---- tests: a test exists by being a file tests/*/test_*.c ----
define test_dir
$(patsubst %.c,$(B)/%,$(wildcard tests/$(1)/test_*.c)): $(B)/%: $(B)/%.o $(B)/libtests.a \
    $(call archives,$(or $(USES_$(1)),$(USES_lib)))
	$$(call say,LD,$$@)
	$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $$(LIBS) $$(TEST_LIBS)
.PHONY: test-$(1)
test-$(1): $(patsubst %.c,$(B)/%,$(wildcard tests/$(1)/test_*.c))
	$(Q)failed=0; for t in $$^; do $$$$t || failed=$$$$((failed + 1)); done; test $$$$failed -eq 0
endef
$(foreach d,$(TEST_DIRS),$(eval $(call test_dir,$(d))))

test: $(TESTS) all
	$(Q)failed=0; for t in $(TESTS); do $$t || failed=$$((failed + 1)); done; \
	echo "$$(( $(words $(TESTS)) - failed )) passed, $$failed failed"; test $$failed -eq 0

asan tsan coverage:
	$(Q)$(MAKE) VARIANT=$@ test

format:
	$(Q)clang-format -i $(FORMATTED)

lint: layers
	$(Q)clang-format --dry-run --Werror $(FORMATTED)
	$(Q)clang-tidy --quiet $(filter %.c,$(FORMATTED)) -- $(filter-out -Werror,$(ALL_CFLAGS)) 2>/dev/null
	$(Q)cppcheck --quiet --std=c11 --error-exitcode=1 --enable=warning,portability,performance \
	    --inline-suppr --suppress=missingIncludeSystem -I. $(foreach l,$(LAYERS),$(call dir,$(l)))

layers:
	$(Q)true

clean:
	$(Q)rm -rf $(O)

-include $(patsubst %.c,$(B)/%.d,$(SOURCES) $(wildcard tests/*/*.c))
