# Fuzzing (tests/fuzz/): each target with replay.c, which any compiler can link, for the tests; with
# clang's libFuzzer for a search of its own.

FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_MUTATIONS ?= 5000
FUZZ_SECONDS ?= 60

$(BUILD)/fuzz/%: tests/fuzz/fuzz_%.c $(if $(filter fuzz,$(VARIANT)),,tests/fuzz/replay.c) \
		$(SERVICE_LIBS) $(FLOOR_LIBS)
	@mkdir -p $(@D)
	@echo "  FUZZ  $@"
	@$(CC) $(CPPFLAGS) -Itests/fuzz $(CFLAGS) $(LDFLAGS) $(filter %.c,$^) $(SERVICE_LIBS) $(FLOOR_LIBS) \
		-o $@ -lcrypto $(LDLIBS)
$(addprefix $(BUILD)/fuzz/,$(FUZZ_TARGETS)): $(wildcard tests/fuzz/*.h)

fuzz-programs: $(addprefix $(BUILD)/fuzz/,$(FUZZ_TARGETS))
	@:

## test-fuzz        the fuzz targets on their corpus and FUZZ_MUTATIONS=5000 of its mutations
test-fuzz: $(addprefix fuzz-test-,$(FUZZ_TARGETS))

## fuzz             search for new inputs that break something, FUZZ_SECONDS=60 a target, with clang
fuzz:
	@scripts/install-packages.sh build docs fuzz
	@$(MAKE) VARIANT=fuzz $(JOBS) fuzz-programs
	@$(MAKE) VARIANT=fuzz $(addprefix fuzz-search-,$(FUZZ_TARGETS))

# New inputs go to build/, the committed corpus stays small; a crash is kept beside them.
define fuzz_target
.PHONY: fuzz-test-$(1) fuzz-search-$(1)
fuzz-test-$(1): $$(BUILD)/fuzz/$(1)
	@$$(RUN) $$< tests/fuzz/corpus/$(1) $$(FUZZ_MUTATIONS)
fuzz-search-$(1): $$(BUILD)/fuzz/$(1)
	@echo "  FUZZ  $(1), $$(FUZZ_SECONDS) s"
	@mkdir -p $$(BUILD)/corpus/$(1)
	@$$< -max_total_time=$$(FUZZ_SECONDS) -max_len=4096 -timeout=20 -verbosity=0 -print_final_stats=1 \
		-artifact_prefix=$$(BUILD)/crash-$(1)- $$(BUILD)/corpus/$(1) tests/fuzz/corpus/$(1)
endef
$(foreach t,$(FUZZ_TARGETS),$(eval $(call fuzz_target,$(t))))

.PHONY: fuzz fuzz-programs test-fuzz
