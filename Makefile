# `make run` and `make test` are the two commands of the README; both install what is missing first.
.PHONY: run test build setup conformance coverage bench oci oci-clients clean

BIN := .build/release
BUILD_FLAGS := -c release --static-swift-stdlib --disable-local-rpath
# Debian packages: headers to build with, and the programs that the end-to-end tests run.
PACKAGES := libseccomp-dev libcap-dev busybox-static python3 gcc libc6-dev make git perl bash coreutils sqlite3

build: setup
	swift build $(BUILD_FLAGS)

run: build
	Tests/Demo/run.sh $(BIN)/sandbox-exec

test: build conformance
	swift test --no-parallel

conformance: setup
	$(MAKE) --no-print-directory -C Syscalls
	$(MAKE) --no-print-directory -C Tests/Hostile
	$(MAKE) --no-print-directory -C Tests/FileStress

# Every system call on the host kernel and on every platform. A subset: make coverage ONLY=files/open
coverage: build
	python3 Syscalls/harness $(if $(ONLY),--only "$(ONLY)") $(if $(JOBS),--jobs $(JOBS)) $(if $(SCRATCH),--scratch $(SCRATCH))

# The OCI runtime against the specification, and next to another one: make oci ORACLE=runc
oci: build
	python3 Tests/OCI/suite.py --runtime $(BIN)/stockade $(if $(ORACLE),--runtime $(ORACLE))

# Sessions of podman and containerd over it, where they are installed
oci-clients: build
	python3 Tests/OCI/clients.py --runtime $(BIN)/stockade

# Options of the harness go into BENCH: make bench BENCH=--quick
bench: build
	python3 Benchmarks/bench.py --sandbox $(BIN)/sandbox-exec $(BENCH)

setup:
	@missing=""; for package in $(PACKAGES); do \
		dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" = 0 ]; then install=""; else install=sudo; fi; \
		echo "installing:$$missing"; \
		$$install apt-get update -qq && $$install env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null; \
	fi

clean:
	rm -rf .build Syscalls/build Benchmarks/build
