# What developers run, and CI with them (.ci/run). `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help
.PHONY: help build test test-as-user lint fmt clippy doc core deny stores bench fuzz release image image-load e2e differential interop tools clean

ARGO_ATTEST_TOOLS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/argo-attest-tools
export ARGO_ATTEST_TOOLS
export PATH := $(ARGO_ATTEST_TOOLS)/bin:$(PATH)

CARGO ?= cargo
BUILD_DIR := $(or $(CARGO_TARGET_DIR),target)
MUSL := x86_64-unknown-linux-musl
DIST ?= dist
IMAGE ?= localhost/argo-attest:dev
IMAGE_ARCHIVE ?= $(BUILD_DIR)/argo-attest-image.tar
# The image of the whole program, beside the one for pods: the same name with -cli before its tag.
IMAGE_CLI ?= $(shell echo '$(IMAGE)' | sed -E 's,(:[^:/]*)?$$,-cli\1,')
IMAGE_CLI_ARCHIVE ?= $(BUILD_DIR)/argo-attest-cli-image.tar
# A cluster of one node for tests: a folder with the commands up, in, image and down.
CLUSTER ?= ../shared/cluster
# How long each fuzz target runs; `make fuzz FUZZ_SECONDS=3600 FUZZ=envelope` for one, long.
FUZZ_SECONDS ?= 5
FUZZ ?= $(sort $(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs))))
# A hang or a blow-up counts as a crash.
FUZZ_FLAGS := -dict=fuzz/dictionary -timeout=10 -rss_limit_mb=1024 -verbosity=0 -print_final_stats=1
# Arguments for the measurements, e.g. BENCH='--scale 0.1' DIGEST='--runs 9' START='--times 20'.
BENCH ?=
DIGEST ?=
START ?=
NODE ?=
STARVED ?=

# $(call needs,TOOL): a missing tool is a skipped check for a user, a failure in CI.
needs = if ! command -v $(1) >/dev/null; then echo "skipped: needs $(1) (make tools)"; [[ "$${CI:-}" != true ]]; exit; fi

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## the debug binary
	$(CARGO) build --locked

# Tested and linted with all there is: what it adds is four small crates, and nothing is built twice. What is
# shipped has none of it, for a static binary loads no modules; `make release` looks that it says so.
FEATURES := --features pkcs11

# Most of the tests' time is waiting: for a deadline, a grace period, a store that is away.
# So groups of them run side by side; what each has printed is shown when it has ended.
APART := pod commands limits secrets
TESTS := $(patsubst tests/%,%,$(patsubst %.rs,%,$(patsubst %/main.rs,%,$(wildcard tests/*.rs tests/*/main.rs))))
REST := $(filter-out $(APART),$(TESTS))
GROUPS := $(APART:%=tests-%) tests-rest tests-doc
.PHONY: $(GROUPS)
test test-as-user: export RUST_TEST_THREADS ?= 6
# Of what is generated a third at a desk, as of other cases that are much alike (tests/support/share.rs).
ifneq ($(CI),true)
test test-as-user: export PROPTEST_CASES ?= 86
endif
# Most of the rest is writing what is deleted a moment later: in memory, where that has room for it. Not in /dev what a
# pod has: no container sees another's, and the product says so.
ROOMY := $(shell [[ -w /dev/shm ]] && (( $$(df --output=avail -k /dev/shm | tail -1) > 6291456 )) && echo /dev/shm)
ifneq ($(ROOMY),)
$(filter-out tests-pod,$(GROUPS)): export TMPDIR ?= $(ROOMY)
tests-pod: IN_MEMORY := .ci/in-memory
endif
GROUPED = $(CARGO) test --locked --workspace $(FEATURES) --no-run && \
	$(MAKE) --no-print-directory --keep-going --jobs=$(words $(GROUPS)) --output-sync=target $(GROUPS)
test: ## every test; those that need a missing tool say so
	+$(GROUPED)
$(APART:%=tests-%): tests-%:
	$(IN_MEMORY) $(CARGO) test --locked --no-fail-fast $(FEATURES) --test=$*
tests-rest:
	$(CARGO) test --locked --no-fail-fast --workspace $(FEATURES) --lib --bins $(REST:%=--test=%)
tests-doc:
	$(CARGO) test --locked --no-fail-fast --workspace $(FEATURES) --doc

# What root may do hides what others may not, and the other way round. In a user namespace
# the same files are those of a user who has no capabilities.
AS_USER := unshare --user --map-user=1000 --map-group=1000 --
HOST := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
test-as-user: export CARGO_TARGET_$(HOST)_RUNNER := $(AS_USER)
test-as-user: ## every test as a user without capabilities, whoever this is
	+@if ! $(AS_USER) true; then echo 'skipped: needs user namespaces (unshare --user)'; \
	    [[ "$${CI:-}" != true ]]; exit; fi; \
	$(GROUPED)

lint: fmt clippy doc core deny ## formatting, clippy, rustdoc, dependencies

fmt:
	$(CARGO) fmt --all --check
	$(CARGO) fmt --check --manifest-path fuzz/Cargo.toml
	for script in .ci/run .ci/tools .ci/image .ci/in-memory .ci/left-out tests/stores/server tests/stores/*.sh $$(find tests/docs/given -name "*.sh"); do bash -n "$$script"; done
clippy:
	$(CARGO) clippy --locked --workspace --all-targets $(FEATURES) -- -D warnings
	@# What is shipped, and the build for pods; a test with each, since only then all that was built for the above
	@# serves for these.
	$(CARGO) clippy --locked --workspace --lib --bins --test secrets -- -D warnings
	$(CARGO) clippy --locked --workspace --lib --bins --test store --no-default-features -- -D warnings
doc:
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --workspace $(FEATURES) --no-deps --quiet
# What decides must be readable, fuzzable and testable without what waits, asks and shows.
OUTSIDE := tokio|hyper|hyper-util|rustls|aws-[a-z0-9-]+|clap|notify|indicatif|rustix|tracing
core:
	@if $(CARGO) tree --locked -p argo-attest-core --edges normal --prefix none | grep -E '^($(OUTSIDE)) v'; then \
	    echo 'argo-attest-core depends on these' >&2; exit 1; fi
deny:
	@$(call needs,cargo-deny); set -x; $(CARGO) deny --locked check bans licenses sources

# A quarter of an hour where nothing is installed yet. STORES='minio moto' for some of them;
# BLESS=1 writes what is found into docs/stores.md.
STORES ?=
stores: export BLESS ?=
stores: ## real S3 servers: the adapters' suite and a step on each, held to docs/stores.md
	$(CARGO) test --locked $(FEATURES) --test pod -- --ignored --nocapture --test-threads=1 $(or $(STORES:%=stores::%),stores::)

# The static binaries, of the sidecar the one that runs in a pod. Needs 21 GiB of disk; less by --scale.
bench: release ## digesting beside openssl's, what the sidecar adds to a step, its start, and an audit beside plain requests
	python3 benches/digest.py --binary '$(DIST)/argo-attest' $(DIGEST)
	python3 benches/cost.py --binary '$(DIST)/argo-attest' $(COST)
	python3 benches/sidecar.py --binary '$(DIST)/argo-attest-pod' --image '$(IMAGE_ARCHIVE)' $(BENCH)
	python3 benches/start.py --binary '$(DIST)/argo-attest-pod' $(START)
	python3 benches/node.py --binary '$(DIST)/argo-attest-pod' $(NODE)
	if (( $$(id -u) == 0 )); then python3 benches/starved.py --binary '$(DIST)/argo-attest-pod' $(STARVED); \
	    else echo 'skipped: starved.py needs root'; fi
	python3 benches/many.py --binary '$(DIST)/argo-attest' $(MANY)
	python3 benches/audit.py --binary '$(DIST)/argo-attest' $(AUDIT)
	python3 benches/outputs.py --binary '$(DIST)/argo-attest' $(OUTPUTS)
	python3 benches/memory.py --binary '$(DIST)/argo-attest' $(MEMORY)
	python3 benches/images.py --binary '$(DIST)/argo-attest' $(IMAGES)
	python3 benches/signers.py --binary '$(DIST)/argo-attest' $(SIGNERS)

# libFuzzer needs flags that stable rustc keeps behind this variable.
fuzz: export RUSTC_BOOTSTRAP := 1
fuzz: ## each parser of foreign bytes, FUZZ_SECONDS each
	@$(call needs,cargo-fuzz); \
	for target in $(FUZZ); do \
	    echo "fuzz $$target"; mkdir -p "fuzz/corpus/$$target"; \
	    $(CARGO) fuzz run --target-dir '$(abspath $(BUILD_DIR))/fuzz' "$$target" \
	        "fuzz/corpus/$$target" "fuzz/seeds/$$target" -- $(FUZZ_FLAGS) \
	        -max_total_time=$(FUZZ_SECONDS); \
	done

# What `argo-attest version` says it was built from.
release: export ARGO_ATTEST_COMMIT ?= $(shell git rev-parse HEAD 2>/dev/null)
# A panic aborts and a backtrace would have no names, so nobody unwinds; and relative relocations in the compact form
# (musl reads it since 1.2.4): together a tenth of the image.
release: export CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS ?= -C force-unwind-tables=no -C link-arg=-Wl,-z,pack-relative-relocs
# $(call static,FILE,FEATURES)
static = $(CARGO) build --locked --profile dist --target $(MUSL) --bin argo-attest $(2) && \
	install -D -m 0755 '$(BUILD_DIR)/$(MUSL)/dist/argo-attest' '$(1)' && \
	if readelf --program-headers '$(1)' | grep -q INTERP; then echo '$(1) is not static: it names an interpreter' >&2; exit 1; fi && \
	stat --format='%n: static, %s bytes' '$(1)'
release: ## static binaries for x86_64 Linux, in $(DIST): the whole program, and the one for pods
	@$(call static,$(DIST)/argo-attest-pod,--no-default-features)
	@$(call static,$(DIST)/argo-attest,)
	@.ci/left-out '$(DIST)/argo-attest' '$(DIST)/argo-attest-pod'
	@for binary in '$(DIST)/argo-attest' '$(DIST)/argo-attest-pod'; do \
	said=$$("$$binary" public-key --key pkcs11:object=x 2>&1) && code=0 || code=$$?; \
	if [[ $$code != 64 || "$$said" != *'build the program with --features pkcs11'* ]]; then \
	    echo "$$binary does not refuse a key in a token as it should ($$code): $$said" >&2; exit 1; fi; done

# At most so many bytes, as a registry stores it and a node pulls it.
POD_LIMIT := 7000000
CLI_LIMIT := 8500000
image: release ## the container images: for pods as $(IMAGE_ARCHIVE), of the whole program as $(IMAGE_CLI_ARCHIVE)
	@mkdir -p '$(dir $(IMAGE_ARCHIVE))' '$(dir $(IMAGE_CLI_ARCHIVE))'
	@.ci/image '$(DIST)/argo-attest-pod' '$(IMAGE_ARCHIVE)' '$(IMAGE)' $(POD_LIMIT)
	@.ci/image '$(DIST)/argo-attest' '$(IMAGE_CLI_ARCHIVE)' '$(IMAGE_CLI)' $(CLI_LIMIT)

image-load: image ## ... and onto the node of $(CLUSTER), which must be up
	'$(CLUSTER)/image' '$(IMAGE)' '$(IMAGE_ARCHIVE)'
	'$(CLUSTER)/image' '$(IMAGE_CLI)' '$(IMAGE_CLI_ARCHIVE)'

# With KUBECONFIG and E2E_S3_ENDPOINT set, that cluster and that store; else $(CLUSTER).
# Arguments for the suite: make e2e E2E='--only packing --repeat 3'.
e2e: image ## the suite on a real cluster
	CLUSTER='$(CLUSTER)' E2E_IMAGE='$(IMAGE)' E2E_CLI_IMAGE='$(IMAGE_CLI)' \
	    tests/e2e/run --binary '$(abspath $(DIST))/argo-attest' --archive '$(abspath $(IMAGE_ARCHIVE))' \
	    --cli-archive '$(abspath $(IMAGE_CLI_ARCHIVE))' $(E2E)

# An hour and more; it goes on where it was stopped. ARGO_VERSION=3.7 for the older line.
differential: export E2E_DIFFERENTIAL := all
differential: export E2E_RESUME := 1
differential: E2E += --only differential
differential: e2e ## Argo's own examples, as they are and attested: what differs?

# Half an hour and some gigabytes where they are not built yet.
interop: ## who admits images by what we attest; real logs and timestamp authorities; pages in Chromium; OpenTelemetry's types; buildkit, for make e2e
	tests/interop/install kyverno policy-tester buildkit witnesses fulcio proven page otlp
	$(CARGO) test --locked $(FEATURES) --test commands -- --include-ignored admitting witnessed::real witnessed::keyless pages audit_many benches --nocapture
	$(CARGO) test --locked $(FEATURES) --test pod -- --include-ignored traces::real --nocapture

tools: ## what lint, fuzz, release and the interop tests need, into $(ARGO_ATTEST_TOOLS)
	.ci/tools

clean: ## what the targets above made in the checkout
	rm -rf '$(DIST)' fuzz/corpus fuzz/artifacts
	$(CARGO) clean
