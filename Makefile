# `make` without a target lists the targets; scripts/ has the recipes of running things.

VARIANT ?= release
BUILD := build/$(VARIANT)
SERVICES := product cart order
FLOORS := base contract auth storage upstream responder
# Debian's Python, which python3-pytest belongs to.
PYTHON ?= /usr/bin/python3

CC = gcc
# Debian installs libpq's header in a folder of its own.
CPPFLAGS += -D_GNU_SOURCE -Ifcgi-apps -isystem /usr/include/postgresql -include fcgi-apps/base/banned.h
CFLAGS += -std=gnu11 -g -fPIE -fvisibility=hidden -pthread -fno-omit-frame-pointer -fstack-protector-strong \
	-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla \
	-Wno-sign-conversion
LDFLAGS += -pie -pthread -Wl,-z,relro,-z,now -Wl,--as-needed
LDLIBS += -lfcgi -ljson-c -lsqlite3 -lhttp_parser -lmd -lunistring -lz

ifeq ($(VARIANT),asan)
CFLAGS += -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=address,undefined
else ifeq ($(VARIANT),tsan)
CFLAGS += -O1 -fsanitize=thread
LDFLAGS += -fsanitize=thread
# gcc 12's ThreadSanitizer does not know the address layouts of newer kernels.
RUN := setarch $(shell uname -m) -R
else ifeq ($(VARIANT),fuzz)
# Only clang has libFuzzer. It has a main() of its own, so this variant builds only `make fuzz`.
CC = clang
CFLAGS += -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=fuzzer,address,undefined
else ifeq ($(VARIANT),coverage)
# Threads share the counters.
CFLAGS += -O1 --coverage -fprofile-update=atomic
LDFLAGS += --coverage
else
CFLAGS += -O2
CPPFLAGS += -D_FORTIFY_SOURCE=3
endif
# Named places where proofs make the program exit, pause or fail.
ifneq ($(findstring failpoints,$(VARIANT)),)
CPPFLAGS += -DFAILPOINTS
endif
ifdef CI
CFLAGS += -Werror
endif
FLAGS := $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(LDLIBS)
# Seconds for a unit test that sets none, and how often as many for all: check's default of four is too short on a
# busy machine.
export CK_DEFAULT_TIMEOUT ?= 30
export CK_TIMEOUT_MULTIPLIER ?= 4
export ASAN_OPTIONS ?= detect_leaks=1:detect_stack_use_after_return=1:exitcode=99
export UBSAN_OPTIONS ?= print_stacktrace=1:halt_on_error=1:exitcode=99
export TSAN_OPTIONS ?= halt_on_error=0:second_deadlock_stack=1:exitcode=99:suppressions='$(CURDIR)/tests/tsan.suppressions'

sources = $(filter-out %/main.c,$(wildcard fcgi-apps/$(1)/*.c))
objects = $(patsubst fcgi-apps/%.c,$(BUILD)/%.o,$(1))
FLOOR_LIBS := $(foreach f,responder upstream storage auth contract base,$(BUILD)/lib$(f).a)
SERVICE_LIBS := $(foreach s,$(SERVICES),$(BUILD)/lib$(s).a)
PROGRAMS := $(foreach s,$(SERVICES),$(BUILD)/$(s)-service)
UNIT_TESTS := $(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c))
# Tests with a store, which is a PostgreSQL schema if TEST_DATABASE_URL is set.
STORE_TESTS := $(patsubst tests/unit/test_%.c,%,$(shell grep -slE '"(store|items|jobs|keyed|carts|orders|products|listings)\.h"' tests/unit/test_*.c))
HTTP_TESTS := $(patsubst tests/http/test_%.py,%,$(wildcard tests/http/test_*.py))
# Compile on all cores, unless the caller says otherwise.
JOBS = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))
# No implicit rules: searching them took two thirds of the time of a make with nothing to build.
MAKEFLAGS += --no-print-directory -rR

.DEFAULT_GOAL := help
.PHONY: always
.DELETE_ON_ERROR:
.PHONY: help up down status logs demo token build programs unit-programs test test-unit test-unit-postgres test-http test-abuse test-scripts test-observe test-proofs test-model lint sanitize bench clean reset-data coverage test-deploy test-images images push test-browser test-clients test-provider test-all screenshots diagram lint-openapi
help:
	@echo "make <target>:"
	@sed -n 's/^## /  /p' $(MAKEFILE_LIST)

## up               build, start everything, load a demo catalogue; prints where it listens
##                  (DB=postgres: on a private PostgreSQL; REPLICAS=3: three of each service)
##                  (OBSERVE=1: also a Prometheus that watches it)
##                  (AUTH=1: it asks for tokens, which "make token" prints)
up:
	@scripts/install-packages.sh docs || echo 'Going on without npm: /docs and /redoc will only say so'
	@$(MAKE) build
	@scripts/up.sh

## down             stop it, requests in flight first
down:
	@scripts/down.sh

## status           what runs, where, and whether it is ready
status:
	@scripts/status.sh || true

## logs             follow the logs of all processes (Ctrl-C ends it)
logs:
	@scripts/logs.sh

## demo             one purchase through the gateway, every exchange printed (needs `make up`)
demo:
	@$(PYTHON) scripts/demo.py

## token            print an access token of the local issuer: USER=ada of that customer,
##                  SCOPES="products:write stock:write" of staff (var/issuer has its key)
# USER is a variable of every shell: the one given to make counts.
token: export TOKEN_USER := $(if $(findstring command,$(origin USER)),$(USER))
token:
	@[ -n "$$TOKEN_USER$$SCOPES" ] || { echo 'error: whose? USER=ada, SCOPES="orders:read", or both' >&2; exit 2; }
	@scripts/install-packages.sh token
	@$(PYTHON) scripts/issuer.py --user "$$TOKEN_USER" --scopes "$$SCOPES" "$${STATE_DIR:-var}/issuer"

## build            compile the three services into build/release
build:
	@scripts/install-packages.sh build
	@$(MAKE) $(JOBS) programs

programs: $(PROGRAMS)
	@:

# Changes when the flags change, and then everything is compiled again.
$(BUILD)/flags: always
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS))' >$@.$$$$ && \
		if cmp -s $@.$$$$ $@; then rm $@.$$$$; else mv $@.$$$$ $@; fi

$(BUILD)/%.o: fcgi-apps/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

define library
$(BUILD)/lib$(1).a: $(call objects,$(call sources,$(1)))
	@echo "  AR    $$@"
	@rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach l,$(FLOORS) $(SERVICES),$(eval $(call library,$(l))))

VERSION ?= $(shell git describe --always --dirty 2>/dev/null || echo unknown)
$(BUILD)/responder/version.o: $(wildcard .git/logs/HEAD)
$(BUILD)/responder/version.o: CPPFLAGS += -DSERVICE_VERSION='"$(VERSION)"'

# The pages at /docs and /redoc. The script checks what is up to date, also if npm was installed later.
build/docs-ui/assets.inc: always
	@scripts/docs-ui.sh
$(BUILD)/responder/docs.o: build/docs-ui/assets.inc
$(BUILD)/responder/docs.o: CPPFLAGS += -Ibuild
$(BUILD)/responder/docs.o: CFLAGS += -Wa,-Ibuild

# The documents as C. A wrong document, or an operation without a handler, fails here.
COMPILER := fcgi-apps/contract/compile.py $(wildcard fcgi-apps/contract/compiler/*.py)
COMPONENTS := fcgi-apps/contract/components.json

build/contract/%.c: fcgi-apps/%/openapi.json fcgi-apps/%/service.c fcgi-apps/responder/meta.c $(COMPONENTS) $(COMPILER)
	@mkdir -p $(@D)
	@echo "  API   $<"
	@$(PYTHON) $(firstword $(COMPILER)) --handlers $(filter %.c,$^) --output $@ $* $< $(COMPONENTS)

# Documents that unit tests compile for themselves.
TEST_DOCUMENTS := $(patsubst tests/unit/contracts/%.json,%,$(wildcard tests/unit/contracts/*.json))
build/contract/test_%.c: tests/unit/contracts/%.json $(COMPONENTS) $(COMPILER)
	@mkdir -p $(@D)
	@$(PYTHON) $(firstword $(COMPILER)) --output $@ test_$* $< $(COMPONENTS)

.SECONDARY: $(SERVICES:%=build/contract/%.c) $(TEST_DOCUMENTS:%=build/contract/test_%.c)
$(BUILD)/contracts/%.o: build/contract/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(foreach s,$(SERVICES),$(eval $(BUILD)/lib$(s).a: $(BUILD)/contracts/$(s).o))

# One main.c for all; a macro names the service.
$(SERVICES:%=$(BUILD)/main/%.o): $(BUILD)/main/%.o: fcgi-apps/responder/main.c $(BUILD)/flags
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) -DSERVICE=$*_service $(CFLAGS) -MMD -MP -c $< -o $@

$(PROGRAMS): $(BUILD)/%-service: $(BUILD)/main/%.o $(BUILD)/lib%.a $(FLOOR_LIBS)
	@echo "  LINK  $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@ $(LDLIBS)

$(BUILD)/libtestcontracts.a: $(TEST_DOCUMENTS:%=$(BUILD)/contracts/test_%.o)
	@echo "  AR    $@"
	@rm -f $@ && ar rcs $@ $^

$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/libtestcontracts.a $(SERVICE_LIBS) $(FLOOR_LIBS)
	@mkdir -p $(@D)
	@echo "  TEST  $@"
	@$(CC) $(CPPFLAGS) -Itests/unit $(CFLAGS) $(LDFLAGS) -MMD -MP $< $(BUILD)/libtestcontracts.a $(SERVICE_LIBS) $(FLOOR_LIBS) -o $@ \
		-lcheck -lsubunit -lrt -lm -lcrypto $(LDLIBS)

## test             the unit tests, over HTTP, the model, the proofs, metrics, logs, in a browser, by clients
test:
	@scripts/install-packages.sh build docs test observe browser clients provider
	@$(MAKE) $(JOBS) programs unit-programs fuzz-programs
	@$(MAKE) test-unit
	@$(MAKE) test-fuzz
	@$(MAKE) test-http
	@$(MAKE) test-abuse
	@# The first waits most of the time; the others run one after the other meanwhile.
	@$(MAKE) -j2 --output-sync=target test-scripts test-model test-observe test-browser test-clients test-provider
	@$(MAKE) test-proofs

## test-all         that, the proofs for longer, images, and the tests with sanitizers (nightly)
test-all: test
	@$(MAKE) test-proofs PROOF_MINUTES=5
	@$(MAKE) test-provider LONG=1
	@$(MAKE) fuzz
	@$(MAKE) test-images
	@$(MAKE) sanitize

## test-unit        the unit tests, those with a store on SQLite and on PostgreSQL
test-unit: $(addprefix unit-,$(UNIT_TESTS)) test-unit-compiler test-unit-postgres

.PHONY: test-unit-compiler
test-unit-compiler:
	@$(PYTHON) -m pytest -q tests/unit

test-unit-postgres: $(addprefix $(BUILD)/tests/test_,$(STORE_TESTS))
	@scripts/with-postgres.sh $(MAKE) $(addprefix unit-,$(STORE_TESTS))

unit-programs: $(addprefix $(BUILD)/tests/test_,$(UNIT_TESTS))
	@:

pytest_on = VARIANT=$(VARIANT) STORE=$(1) $(if $(filter postgres,$(1)),scripts/with-postgres.sh) \
	$(PYTHON) -m pytest -q
# Runs a suite on SQLite and PostgreSQL, or on the store in STORE.
on_stores = $(addprefix $(1)@,$(or $(STORE),sqlite postgres))

## test-http        over HTTP: real nginx and workers, on SQLite and PostgreSQL (STORE=… for one)
test-http: programs
	@# One after the other: their waits are measured on a machine that is theirs.
	@$(MAKE) -k -j1 $(call on_stores,http)

.PHONY: http@sqlite http@postgres
http@sqlite http@postgres: http@%:
	@echo "== $*"
	@$(call pytest_on,$*) tests/http

## test-abuse       one anonymous client that floods, drips and asks for what is expensive, on both stores
test-abuse: programs
	@$(MAKE) -k -j1 $(call on_stores,abuse)

.PHONY: abuse@sqlite abuse@postgres
abuse@sqlite abuse@postgres: abuse@%:
	@echo "== $*"
	@$(call pytest_on,$*) tests/abuse

## test-scripts     up, down, status, the demo, the move to PostgreSQL, backups, after crashes
test-scripts: programs
	@scripts/install-packages.sh test
	@VARIANT=$(VARIANT) $(PYTHON) -m pytest -q -n 2 --dist loadfile tests/scripts

## test-provider    a real OpenID Connect provider: who signs in buys, and tokens for others are refused
##                  (LONG=1: also new keys under load, and purchases while it is away)
test-provider: programs tests/provider/node_modules/.package-lock.json
	@scripts/install-packages.sh provider
	@VARIANT=$(VARIANT) $(PYTHON) -m pytest -q tests/provider

## test-browser     /docs, /redoc, a purchase, CORS and the query page in headless Chromium
test-browser: programs $(patsubst %,tests/%/node_modules/.package-lock.json,browser provider)
	@scripts/install-packages.sh browser observe
	@VARIANT=$(VARIANT) $(PYTHON) -m pytest -q tests/browser

## test-clients     generated clients buy through Prism; ajv and Spectral read the documents
test-clients: programs tests/clients/node_modules/.package-lock.json
	@scripts/install-packages.sh clients
	@VARIANT=$(VARIANT) $(PYTHON) -m pytest -q tests/clients

## screenshots      the same, and images/ gets the pictures that the README shows
screenshots:
	@SCREENSHOTS=images $(MAKE) test-browser

## diagram          images/architecture-diagram.svg from its text
diagram:
	@scripts/install-packages.sh diagram
	@dot -Tsvg images/architecture-diagram.dot -o images/architecture-diagram.svg

# What the tests need from npm, as pinned by their lock file.
tests/%/node_modules/.package-lock.json: tests/%/package-lock.json
	@scripts/install-packages.sh docs
	@echo "  NPM   tests/$*"
	@cd tests/$* && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

## test-<name>      one: tests/unit/test_<name>.c or tests/http/test_<name>.py (STORE=postgres)
define unit_test
.PHONY: unit-$(1) test-$(1)
test-$(1): unit-$(1)
unit-$(1): $(BUILD)/tests/test_$(1)
	@$(RUN) $$<
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_test,$(t))))

define http_test
.PHONY: http-$(1) test-$(1)
test-$(1): http-$(1)
http-$(1): programs
	@$$(call pytest_on,$$(or $$(STORE),sqlite)) tests/http/test_$(1).py
endef
$(foreach t,$(HTTP_TESTS),$(eval $(call http_test,$(t))))

# The images are built without the tests.
-include tests/fuzz/fuzz.mk

## test-deploy      manifests, images' sources, ingress, ArgoCD and the workflow, without a cluster
test-deploy:
	@scripts/install-packages.sh deploy
	@scripts/kubectl.sh >/dev/null
	@$(PYTHON) -m pytest -q tests/deploy --ignore tests/deploy/images

## test-images      images, pods, a rollout under load and the compose file, with podman
test-images:
	@scripts/install-packages.sh deploy
	@scripts/kubectl.sh >/dev/null
	@$(PYTHON) -m pytest -q -rs tests/deploy/images

## images           container images of the three services, with docker or podman (REGISTRY=…)
images:
	@scripts/images.sh build

## push             push them, tagged latest and with the commit (REGISTRY=docker.io/me)
push:
	@scripts/images.sh push

## test-observe     dashboards, alerts and the way of the logs, against a real Prometheus
test-observe:
	@scripts/install-packages.sh build test observe
	@$(MAKE) $(JOBS) programs
	@VARIANT=$(VARIANT) $(PYTHON) -m pytest -q tests/observe

## test-proofs      nothing is ever lost: kills, pauses, full disks, bad networks, on SQLite and
##                  PostgreSQL side by side, and some of each kind with AUTH=jwt (STORE=… for one;
##                  PROOF_MINUTES=n for longer, and then all with AUTH=jwt)
PROOF_MINUTES ?= 1
test-proofs: programs
	@scripts/install-packages.sh build test
	@$(MAKE) VARIANT=failpoints $(JOBS) programs
	@# They wait much of the time.
	@$(MAKE) -k -j2 --output-sync=target $(call on_stores,proofs) $(call on_stores,proofs-jwt) \
		PLAIN_VARIANT=$(VARIANT) VARIANT=failpoints

PROOFS = PLAIN_VARIANT=$(PLAIN_VARIANT) PROOF_MINUTES=$(PROOF_MINUTES) $(call pytest_on,$*) tests/proofs
.PHONY: proofs@sqlite proofs@postgres proofs-jwt@sqlite proofs-jwt@postgres
proofs@sqlite proofs@postgres: proofs@%:
	@echo "== $*"
	@AUTH=off $(PROOFS)

proofs-jwt@sqlite proofs-jwt@postgres: proofs-jwt@%:
	@echo "== $*, AUTH=jwt"
	@AUTH=jwt $(PROOFS) $(if $(filter 1,$(PROOF_MINUTES)),-m asked)

## test-model       the checkout protocol in every state of a model (docs/CHECKOUT.md)
test-model:
	@scripts/install-packages.sh build test
	@tests/proofs/model.sh

## lint             formatting, static analysis, shell scripts, nginx configurations, floors, OpenAPI
lint:
	@scripts/install-packages.sh build test lint
	@$(MAKE) build/docs-ui/assets.inc
	@status=0; scripts/lint.sh || status=1; \
	! command -v npm >/dev/null || $(MAKE) lint-openapi || status=1; exit $$status

## lint-openapi     the OpenAPI documents, as they are served (part of lint where npm is there)
lint-openapi: programs tests/openapi/node_modules/.package-lock.json
	@echo '  LINT  openapi.json'
	@VARIANT=$(VARIANT) $(PYTHON) tests/openapi/lint.py

## sanitize         all tests with ASan and UBSan, then with TSan
sanitize:
	@scripts/install-packages.sh build test
	@for variant in asan tsan; do \
		echo "== $$variant"; \
		$(MAKE) VARIANT=$$variant $(JOBS) programs unit-programs fuzz-programs && \
		$(MAKE) VARIANT=$$variant test-unit test-fuzz test-http || exit 1; \
	done

## coverage         which lines the unit and HTTP tests run; pages in build/coverage-report
coverage:
	@scripts/install-packages.sh build docs test coverage
	@$(MAKE) VARIANT=coverage $(JOBS) programs unit-programs
	@find build/coverage -name '*.gcda' -delete
	@$(MAKE) VARIANT=coverage test-unit test-http
	@rm -rf build/coverage-report && mkdir -p build/coverage-report
	@gcovr --root . --filter fcgi-apps/ --html-details build/coverage-report/index.html \
		--xml build/coverage-report/coverage.xml --print-summary build/coverage

## bench            measure, print the tables, write bench/RESULTS.md (PARTS="stores recovery": print
##                  those only; PARTS=quick: all, smaller; PARTS=shops: compare with Vendure and
##                  Medusa from npm, write bench/SHOPS.md)
bench:
	@bench/run.sh $(PARTS)

## clean            delete what was built; never data
clean:
	@rm -rf build

## reset-data       delete the local databases under ./var (only while stopped)
reset-data:
	@scripts/reset-data.sh

-include $(wildcard $(BUILD)/*/*.d)
