# Kouzui's build and tests. `make help` lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO       ?= go
FUZZTIME ?= 10s
COUNT    ?= 6
SEEDS    ?= 1000
FROM     ?= 1
LINTER   := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
# The tests of each package would else wait a second at their end for races that
# may come late.
export GORACE := atexit_sleep_ms=50
NPM      := cmd/interop/testdata/npm
TARGETS  := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

# What the tests run beside Go, as program:package: other clients, trackers, a
# router and a browser. Debian's python has Debian's libtorrent.
COUNTERPARTS := transmission-daemon:transmission-daemon aria2c:aria2 rtorrent:rtorrent \
	qbittorrent-nox:qbittorrent-nox miniupnpd:miniupnpd nft:nftables opentracker:opentracker /usr/sbin/nginx:nginx-light npm:npm gcc:gcc \
	chromium:chromium perf:linux-perf

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

.PHONY: build
build: ## build bin/kouzui, static: 2 MiB less of it is resident
	CGO_ENABLED=0 $(GO) build -tags grpcnotrace -trimpath -o bin/kouzui ./cmd/kouzui

.PHONY: test
test: counterparts format vet lint race simulated interop fuzz cross ## everything that must hold; installs what it needs on Debian

.PHONY: counterparts
counterparts: ## install other clients, trackers, a router and a browser (apt, npm)
	@missing=; \
	for pair in $(COUNTERPARTS); do \
		command -v "$${pair%%:*}" >/dev/null || missing+=" $${pair#*:}"; \
	done; \
	/usr/bin/python3 -c 'import libtorrent' 2>/dev/null || missing+=' python3-libtorrent'; \
	if [ -n "$$missing" ]; then \
		sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
		$$sudo apt-get update -q; \
		$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; \
	fi
	@[ $(NPM)/node_modules/.package-lock.json -nt $(NPM)/package-lock.json ] || npm ci --prefix $(NPM) --ignore-scripts --loglevel=error

.PHONY: format
format: ## fail on files that gofmt would change
	@wrong=$$(gofmt -l .); [ -z "$$wrong" ] || { echo "gofmt: $$wrong"; exit 1; }

.PHONY: vet
vet: ## go vet
	$(GO) vet ./...

.PHONY: lint
lint: bin/golangci-lint ## golangci-lint with staticcheck, see .golangci.yml
	bin/golangci-lint run ./...

bin/golangci-lint: Makefile
	GOBIN=$(CURDIR)/bin $(GO) install $(LINTER)
	@touch $@

.PHONY: race
race: ## all tests but those of interoperation and of simulated swarms, with the race detector
	@$(GO) list ./... | grep -vE '/(cmd/interop|actors/lab|actors/lab/stat)$$' | KOUZUI_INTEROP=must xargs $(GO) test -race -timeout 15m

# All of a simulated swarm runs in one goroutine, where the race detector finds
# nothing and takes nine tenths of the time: a few random swarms show that it is
# so. Swarms side by side are under it in actors/lab/experiment, paper and whatif,
# and commands of the lab in cmd/kouzui.
.PHONY: simulated
simulated: ## tests of simulated swarms; buffers are checked for late writes, as under the race detector
	$(GO) test -tags poison -timeout 20m ./actors/lab ./actors/lab/stat
	$(GO) test -race -run TestRandomScenarios ./actors/lab -seeds 4

# The kouzui that it builds and runs is unknown to go's cache of results.
.PHONY: interop
interop: ## tests against other clients and trackers; none may be missing
	KOUZUI_INTEROP=must $(GO) test -race -count=1 -v -timeout 20m ./cmd/interop

.PHONY: simulate
simulate: ## SEEDS random swarms in a simulated world, from FROM on
	$(GO) test -count=1 -timeout 0 -v -run TestRandomScenarios ./actors/lab -from $(FROM) -seeds $(SEEDS)

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME
	@$(GO) test -list '^Fuzz' ./... | awk '/^Fuzz/ {names[++n] = $$1} /^ok/ {for (i = 1; i <= n; i++) print $$2, names[i]; n = 0}' \
	| { failed=0; while read -r package name; do \
		echo "fuzz $$package $$name"; \
		$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$package" </dev/null || failed=1; \
	done; exit $$failed; }

.PHONY: cross
cross: ## build for every supported system
	@for target in $(TARGETS); do \
		echo "build $$target"; \
		CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) build ./...; \
	done

.PHONY: outdated
outdated: ## newer versions of what go.mod asks for directly; look once a month
	@$(GO) list -m -f '{{if not (or .Main .Indirect)}}{{.Path}}{{end}}' all | xargs $(GO) list -m -u -f '{{if .Update}}{{.Path}} {{.Version}} -> {{.Update.Version}}{{end}}' | sed '/^$$/d'

.PHONY: bench
bench: build ## CPU, time and memory beside other clients, and of simulated swarms, into BENCHMARKS.md
	$(GO) build -trimpath -o bin/bench ./cmd/bench
	bin/bench -page BENCHMARKS.md $(ARGS)
	$(GO) run ./cmd/benchscale -only swarm,swarm-content

.PHONY: bench-go
bench-go: ## benchmarks of cores and actors, COUNT times, into bin/bench-go.txt for benchstat
	@mkdir -p bin
	$(GO) test -run '^$$' -bench . -skip Storm -count $(COUNT) ./wire/... ./actors/... | tee bin/bench-go.txt

.PHONY: bench-scale
bench-scale: build ## curves of cost against size: peers, pieces, files, torrents
	$(GO) run ./cmd/benchscale $(ARGS)

.PHONY: bench-sim
bench-sim: build ## simulated swarms held against real ones, and a published result, into BENCHMARKS.md
	$(GO) run ./cmd/benchsim -page BENCHMARKS.md $(ARGS)

.PHONY: bench-swarm
bench-swarm: build ## whole swarms over shaped links beside other clients, into BENCHMARKS.md; as root
	$(GO) build -trimpath -o bin/benchswarm ./cmd/benchswarm
	bin/benchswarm -page BENCHMARKS.md $(ARGS)

.PHONY: bench-dht
bench-dht: build ## metadata by a DHT beside other clients, and Kouzui at rest, into BENCHMARKS.md
	$(GO) build -trimpath -o bin/benchdht ./cmd/benchdht
	bin/benchdht -page BENCHMARKS.md $(ARGS)

.PHONY: bench-stream
bench-stream: build ## how soon a player sees something, beside libtorrent with deadlines, into BENCHMARKS.md; as root
	$(GO) build -trimpath -o bin/benchstream ./cmd/benchstream
	bin/benchstream -page BENCHMARKS.md $(ARGS)

.PHONY: demo
demo: build ## a swarm of actors in the terminal
	bin/kouzui demo

.PHONY: reproduce
reproduce: build ## repeat published results, and write what was found into BENCHMARKS.md
	bin/kouzui lab reproduce all --update BENCHMARKS.md

.PHONY: screenshots
screenshots: build ## make the pictures of the live page and of a simulated swarm again
	KOUZUI_SCREENSHOT=$(CURDIR)/testdata/observe.png $(GO) test -count=1 -run TestScreenshot ./actors/runtime/observe
	bin/kouzui lab simulate testdata/lab/flash-crowd.toml --html bin/page.html >/dev/null
	chromium --headless --no-sandbox --hide-scrollbars --window-size=1100,1450 --screenshot=testdata/simulate.png bin/page.html
	{ sed '/<main>/q' bin/page.html; sed -n '/<h2 id="path">/,/^<h2>/p' bin/page.html | sed '$$d'; } >bin/path.html
	chromium --headless --no-sandbox --hide-scrollbars --window-size=1100,800 --screenshot=testdata/critical-path.png bin/path.html

.PHONY: clean
clean: ## remove what was built and installed here
	rm -rf bin dist $(NPM)/node_modules
