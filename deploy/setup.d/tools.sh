# Tools that only the sandbox and the tests need, buf among them: a private Python environment.
# shellcheck shell=bash

# The environment is named after its list of packages: a changed list makes a new one.
python_dir() {
    local hash
    hash=$(sha256sum <"$deploy_dir/python/requirements.txt")
    echo "$cache_dir/python-${hash:0:12}"
}

# Every package with its version and its hashes; a build from source is never needed.
build_python() {
    local dir
    dir=$(python_dir)
    rm -rf "$dir"
    /usr/bin/python3 -m venv "$dir"
    "$dir/bin/pip" install --quiet --disable-pip-version-check --no-input --only-binary :all: \
        --require-hashes --requirement "$deploy_dir/python/requirements.txt"
    "$dir/bin/python" -m compileall -q "$dir/lib" >/dev/null || true
    touch "$dir/.complete"
}

setup_python() {
    if [[ -e $(python_dir)/.complete ]]; then
        return
    fi
    step "Python tools in an environment of their own" \
        "check that pip can download packages on this machine, then run the same command again" \
        build_python
}
