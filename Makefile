# `make test` runs everything on a machine that has Go and Node; it installs the rest itself.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
SHELL := /bin/bash

.PHONY: test lint go-test browser-test generate bench run fuzz

test: lint go-test browser-test

# Formatting, vet, staticcheck (generated code included) and generated files that are out of date.
lint:
	@out="$$(gofmt -l $$(git ls-files '*.go'))"; test -z "$$out" || { echo "not formatted:"; echo "$$out"; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	go run ./cmd/wsgen generate --check --out examples/chat/chat examples/messages.yaml

go-test:
	go test -race ./...

# The chat page in a real browser.
browser-test:
	cd e2e && npm ci --no-audit --no-fund --loglevel=error
	CHROMIUM="$$(scripts/chromium)" && cd e2e && CHROMIUM="$$CHROMIUM" node --test --test-reporter=spec

# Rewrites generated code, golden files and the chat example. Read the diff afterwards.
generate:
	go test ./golden -update
	go generate ./examples/...

# Codec, fan-out and generator speed, each beside a peer in the same run.
bench:
	go test -run '^$$' -bench . -benchmem ./runtime/... ./golden/... ./internal/...

# Each fuzz target for a short while.
fuzz:
	scripts/fuzz 30s

run:
	go run ./examples/chat
