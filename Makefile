# `make` alone lists the targets. Settings live in mk/, the recipes of running things in scripts/.

VARIANT ?= release
BUILD := build/$(VARIANT)
SERVICES := product cart order
FLOORS := base contract storage upstream responder

CC ?= gcc
PKGS := json-c sqlite3 libcurl libmd
CPPFLAGS += -D_GNU_SOURCE -Ifcgi-apps -include fcgi-apps/base/banned.h
CFLAGS += -std=gnu11 -g -fPIE -pthread -fno-omit-frame-pointer -fstack-protector-strong -Wa,-Ifcgi-apps \
	-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla \
	-Wno-sign-conversion
LDFLAGS += -pie -pthread -Wl,-z,relro,-z,now -Wl,--as-needed
LDLIBS += -lfcgi -ljson-c -lsqlite3 -lcurl -lmd

ifeq ($(VARIANT),asan)
CFLAGS += -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=address,undefined
else ifeq ($(VARIANT),tsan)
CFLAGS += -O1 -fsanitize=thread
LDFLAGS += -fsanitize=thread
else
CFLAGS += -O2
CPPFLAGS += -D_FORTIFY_SOURCE=3
endif
ifdef CI
CFLAGS += -Werror
endif

sources = $(filter-out %/main.c,$(wildcard fcgi-apps/$(1)/*.c))
objects = $(patsubst fcgi-apps/%.c,$(BUILD)/%.o,$(1))
FLOOR_LIBS := $(foreach f,responder upstream storage contract base,$(BUILD)/lib$(f).a)
SERVICE_LIBS := $(foreach s,$(SERVICES),$(BUILD)/lib$(s).a)
PROGRAMS := $(foreach s,$(SERVICES),$(BUILD)/$(s)-service)
UNIT_TESTS := $(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c))

.DEFAULT_GOAL := help
.PHONY: help build test-unit
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## build            compile the three services into build/release
build: $(PROGRAMS)

$(BUILD)/%.o: fcgi-apps/%.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

define library
$(BUILD)/lib$(1).a: $(call objects,$(call sources,$(1)))
	@echo "  AR    $$@"
	@rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach l,$(FLOORS) $(SERVICES),$(eval $(call library,$(l))))

# Embedded files are not seen by -MMD.
$(BUILD)/contract/contract.o: $(wildcard fcgi-apps/contract/*.json)
$(foreach s,$(SERVICES),$(eval $(call objects,$(wildcard fcgi-apps/$(s)/*.c)): $(wildcard fcgi-apps/$(s)/*.json)))

$(PROGRAMS): $(BUILD)/%-service: $(BUILD)/%/main.o $(BUILD)/lib%.a $(FLOOR_LIBS)
	@echo "  LINK  $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@ $(LDLIBS)

$(BUILD)/tests/%: tests/unit/%.c $(SERVICE_LIBS) $(FLOOR_LIBS)
	@mkdir -p $(@D)
	@echo "  TEST  $@"
	@$(CC) $(CPPFLAGS) -Itests/unit $(CFLAGS) $(LDFLAGS) -MMD -MP $< $(SERVICE_LIBS) $(FLOOR_LIBS) -o $@ \
		-lcheck -lsubunit -lrt -lm $(LDLIBS)

## test-unit        the unit tests
test-unit: $(addprefix test-,$(UNIT_TESTS))

define unit_test
.PHONY: test-$(1)
test-$(1): $(BUILD)/tests/test_$(1)
	@$$<
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_test,$(t))))

-include $(wildcard $(BUILD)/*/*.d)
