# `make test` runs everything on a machine that has Go and Node; it installs the rest itself.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
SHELL := /bin/bash

# What needs NATS is in modules of their own.
CLUSTER := runtime/cluster/nats runtime/cluster/nats/embed examples/cluster

.PHONY: test lint go-test bench-test cluster-test conformance npm ts-test browser-test picture generate page bench microbench run fuzz \
	model chaos chaos-short chaos-teeth chaos-test

test: lint go-test bench-test cluster-test chaos-test conformance ts-test browser-test

# Formatting, vet, staticcheck (generated code included) and generated files that are out of date.
lint:
	@out="$$(gofmt -l $$(git ls-files '*.go'))"; test -z "$$out" || { echo "not formatted:"; echo "$$out"; exit 1; }
	go vet ./...
	GOARCH=386 go build ./runtime/...
	go run $(STATICCHECK) ./...
	@for m in $(CLUSTER); do echo "$$m: staticcheck"; (cd $$m && go run $(STATICCHECK) ./...) || exit 1; done
	go run ./cmd/wsgen generate --check --out examples/chat/chat examples/messages.yaml

go-test:
	go test -race ./...

# The comparison with other libraries, which is a module of its own.
bench-test:
	cd bench && go vet ./... && go test ./...

# Clusters on real NATS servers, and the chat on three nodes.
cluster-test:
	@for m in $(CLUSTER); do echo "$$m: vet, test"; (cd $$m && go vet ./... && go test -race ./...) || exit 1; done

# The JSON Schema test suite against generated code; says so where the suite is not there.
conformance:
	@set -o pipefail; go test -v ./internal/conformance | grep -E 'SKIPPED|^---|^ok|^FAIL|: file  |: all  |conformance_test.go:[0-9]+: [a-z]+ '

npm:
	cd e2e && npm ci --no-audit --no-fund --loglevel=error

# The generated TypeScript: types, lint, and what its client promises.
ts-test: npm
	e2e/node_modules/.bin/tsc -p e2e
	e2e/node_modules/.bin/tsc -p e2e/tsconfig.node.json
	e2e/node_modules/.bin/tsc -p examples/chat/web
	e2e/node_modules/.bin/eslint --no-inline-config -c e2e/eslint.config.js e2e/typescript examples/chat/web/src $$(git ls-files '*.gen.ts')
	cd e2e && node --import tsx --test --test-reporter=spec typescript/*.test.ts

# The chat page in a real browser, and the editors' language server on the YAML.
browser-test: npm
	CHROMIUM="$$(scripts/chromium)" && cd e2e && CHROMIUM="$$CHROMIUM" node --test --test-reporter=spec *.test.mjs

# Takes the picture in README.md again.
picture: npm
	CHROMIUM="$$(scripts/chromium)" && cd e2e && CHROMIUM="$$CHROMIUM" PICTURE=$(CURDIR)/docs/chat.png node --test --test-name-pattern=picture chat.test.mjs

# Rewrites generated code, golden files and the chat example. Read the diff afterwards.
generate:
	go test ./golden -update
	go generate ./examples/...

# Builds the page of the chat, which the example and new projects embed. It is written in templates/init/web/src.
page: npm
	go test ./internal/scaffold -run TestExample -update
	go generate ./examples/...
	node e2e/page.mjs $(CURDIR)/templates/init/web/dist
	go test ./internal/scaffold -run TestExample -update

# The chat of the examples beside servers of other libraries, under the same loads: takes about a quarter of an hour, and
# writes docs/performance.md.
bench:
	cd bench && go run . -runs 5 -out ../docs/performance.md

# Codec, fan-out and generator speed, each beside a peer in the same run.
microbench:
	go test -run '^$$' -bench . -benchmem ./runtime/... ./golden/... ./internal/...

# A cluster in virtual time: five minutes of runs with faults drawn at random, and bugs that must be found.
model:
	cd golden/cluster && go test -race -seeds 40 -seed $$RANDOM && go test -race -seeds 40 -seed $$RANDOM -calm=false
	cd golden/cluster && go test -teeth -run TestTeeth

# A cluster of real processes under load that is broken on purpose: faults at random for three minutes, and each kind with a verdict.
chaos:
	cd chaos && go run . -run random,kill,drain,nats,frames

# Faults of nodes only, as many kinds as fit, with short leases: less than a minute.
chaos-short:
	cd chaos && go run . -short

# Nodes with a bug planted, one after the other: each must be found; and the same without any, which must find nothing. Ten minutes.
chaos-teeth:
	cd chaos && go run . -teeth all && go run . -teeth control

# Whether it compiles, whether the bugs can still be planted, and the short form.
chaos-test: chaos-short
	cd chaos && go vet ./... && go test ./...

# Each fuzz target for a short while.
fuzz:
	scripts/fuzz 30s

run:
	go run ./examples/chat
