# Hotmic. `make help` lists the targets.

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

NPM := npm --no-audit --no-fund --loglevel=error
SOURCES := web/build.ts $(shell find voice wasm native tickets relay client record cli bench test examples -name '*.ts' -not -path '*/target/*' -not -path '*/.toolchain/*')
PAGE := $(shell find web -name '*.ts' -o -name '*.tsx' -o -name '*.css' -o -name '*.html') web/tsconfig.json

.PHONY: help
help: ## print this
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: dist/.built build/.addon ## install what is needed and compile; the addon if a C++ compiler and Node's headers are found

.PHONY: demo
demo: build ## four players in a lobby, recorded to WAV, without Steam or hardware
	@node dist/cli/main.js demo

.PHONY: test
test: build ## run all tests that this machine can run; the last line counts them
	@sh test/chromium.sh
	@sh test/pulseaudio.sh
	@node dist/test/run.js

.PHONY: test-fast
test-fast: dist/.built ## run the tests of the pure parts, in less than a minute: for every save
	@node dist/test/run.js --fast

.PHONY: test-all
test-all: check test-sockets test-nodes test-runtimes test-platforms try-install try-dockerfile try-compose explore ## check, both socket layers, the tests on each Node, other platforms, the container, every state of the mute rule; takes two hours, needs root

.PHONY: test-sockets
test-sockets: build ## the relay's tests, the attacks and the second client on each library for sockets: uWebSockets.js and our addon where they load, and ws
	@node dist/test/relay/port/sockets/run_layers.js

.PHONY: test-nodes
test-nodes: build ## run the tests (FILES=… some) on Node 22, 24 and 26, and in a Debian 13 tree under out/; needs root
	@sh test/nodes.sh $(FILES)

.PHONY: test-runtimes
test-runtimes: runtimes ## test codec, client, capture and relay on Bun and Deno
	@node dist/test/run.js dist/test/platforms/runtimes.test.js

.PHONY: runtimes
runtimes: build ## install Bun and Deno under out/, from npm
	@sh test/runtimes.sh bun && sh test/runtimes.sh deno

.PHONY: platforms
platforms: build ## run each part on every runtime that this machine has, and write the table of docs/platforms.md
	@sh test/platforms/run.sh

.PHONY: try-install
try-install: build ## install the packed package in empty folders on Node 24, and run its demo; needs the registry, and root for Debian 13
	@node dist/test/platforms/try_install.js

.PHONY: try-dockerfile
try-dockerfile: build ## run the steps of deploy/Dockerfile in a bootstrapped Debian 13 tree, and the relay from it; needs root
	@node dist/test/deploy/try_dockerfile.js

.PHONY: try-compose
try-compose: build ## start deploy/compose.yaml as documented, with a real Docker in a bootstrapped Debian 13 tree; needs root
	@node dist/test/deploy/try_compose.js

.PHONY: test-platforms
test-platforms: build ## run the prebuilt addons, codec, client and capture on ARM (qemu), musl and Windows (wine); needs root once
	@node dist/test/platforms/main.js

.PHONY: soak
soak: build ## a million packets through one decoder, and through ten thousand: memory stays flat
	@HOTMIC_SOAK_PACKETS=1000000 node dist/test/scenario/codec_memory.test.js

.PHONY: explore
explore: build ## the relay's mute rule in every state that two people can reach; takes minutes
	@HOTMIC_WHOLE=1 node dist/test/relay/core/model/mute_rule.test.js

.PHONY: check
check: lint wasm-check test ## lint, wasm-check and test: everything that has to pass before a commit

.PHONY: lint
lint: node_modules/.installed ## check style, common mistakes, and that the pure folders need neither Node nor a DOM
	@npx biome check
	@npx tsc -p tsconfig.pure.json

.PHONY: format
format: node_modules/.installed ## format the sources (biome)
	@npx biome check --write

.PHONY: wasm
wasm: ## install the Rust and C toolchain from the package registries, and rebuild wasm/pkg
	@sh wasm/build.sh

.PHONY: wasm-check
wasm-check: build ## prove that wasm/pkg is what its manifest says
	@node dist/wasm/check.js

.PHONY: screenshots
screenshots: build ## take the README's pictures of the page with Chromium; FOLDER=… takes every state, to be looked at
	@node dist/test/web/screenshots.js $(FOLDER)

.PHONY: api-docs
api-docs: node_modules/.installed ## write the API's reference to out/api, and fail if an export has no summary (typedoc)
	@npx typedoc --tsconfig tsconfig.json

.PHONY: fuzz
fuzz: build ## hostile input into codec and packet reader; SECONDS=60 by default
	@node dist/test/fuzz/run.js $(SECONDS)

.PHONY: fuzz-relay
fuzz-relay: build ## hostile frames and messages into the relay's core; INPUTS=10000000 by default
	@node dist/test/fuzz/relay_main.js --inputs $(or $(INPUTS),10000000)

.PHONY: hostile
hostile: build ## all attacks of docs/security.md on a relay, with loads of 10,000 connections
	@HOTMIC_HOSTILE=full node dist/test/run.js dist/test/hostile/*.test.js

# ThreadSanitizer runs native programs with what threads share: in Node, the engine's own reports would drown ours. The other two
# also run the addons in Node: Steam's under stress, that of the sockets under the layers' tests and attacks.
.PHONY: tsan
tsan: ## ThreadSanitizer: the ring's model and the addon's locks
	@sh test/native/harness/run.sh tsan

.PHONY: asan
asan: build ## AddressSanitizer: the same, the addon under stress (workers, kills, opening and closing), and the sockets' addon under attack
	@sh test/native/harness/run.sh asan
	@sh test/native/stress/sanitize.sh address
	@sh test/relay/port/sockets/addon/sanitize.sh address

.PHONY: ubsan
ubsan: build ## UndefinedBehaviorSanitizer: the same as asan
	@sh test/native/harness/run.sh ubsan
	@sh test/native/stress/sanitize.sh undefined
	@sh test/relay/port/sockets/addon/sanitize.sh undefined

.PHONY: bench
bench: build ## run the benchmarks; ONLY=ring, steam, codec, stages, mouth, key, processing, mix, storm, pause, relay, idle, audience, hearing, stall, cut, slow, page or playout runs one, ONLY=soak (MINUTES=10) the soak, ONLY=plc the trial of deep PLC
	@node dist/bench/main.js $(ONLY)

.PHONY: prebuilds
prebuilds: dist/.built ## install Zig from PyPI and Node's headers from npm, and rebuild the addons for each platform
	@node dist/native/prebuild/build.js

.PHONY: prebuilds-check
prebuilds-check: dist/.built ## prove that prebuilds/ is what its manifest says; with Zig, build it again and compare
	@node dist/native/prebuild/check.js

.PHONY: clean
clean: ## delete what was built and installed, except the toolchains
	rm -rf dist out build .tap node_modules wasm/target wasm/processing/target

node_modules/.installed: package.json package-lock.json
	@command -v node >/dev/null || { echo 'Hotmic needs Node 20.12 or newer on the PATH'; exit 1; }
	@# Packages' scripts do not run: Hotmic's own would build the addon, which has its own rule below.
	@$(NPM) ci --ignore-scripts
	@touch $@

dist/.built: node_modules/.installed tsconfig.json $(SOURCES) $(PAGE) $(wildcard wasm/pkg/*)
	@npx tsc -p tsconfig.json
	@# Delete output whose source is gone: it must not run or ship.
	@find dist -name '*.js' -not -path 'dist/wasm/pkg/*' -not -path 'dist/web/site/*' | while read -r js; do \
	  base=$${js#dist/}; base=$${base%.js}; \
	  [ -e "$$base.ts" ] || rm -f "dist/$$base.js" "dist/$$base.js.map" "dist/$$base.d.ts"; done
	@mkdir -p dist/wasm/pkg && cp wasm/pkg/* dist/wasm/pkg/
	@# The page is checked against what was just compiled, as any user of the package is.
	@npx tsc -p web/tsconfig.json
	@node dist/web/build.js
	@chmod +x dist/cli/main.js
	@# So that npx also finds the command in this checkout.
	@ln -sf ../../dist/cli/main.js node_modules/.bin/hotmic
	@touch $@

# Only touched when the addon was built: otherwise the reason is printed each time.
build/.addon: node_modules/.installed binding.gyp native/build.sh $(wildcard native/src/*)
	@sh native/build.sh
