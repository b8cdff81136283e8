# The cached prefix of the four libraries that are built from Debian 13's source packages. On Debian
# 13 itself they are packages, and the prefix is /usr.
# shellcheck shell=bash

# shellcheck source=deploy/setup.d/libraries.recipe.sh
source "$setup_dir/libraries.recipe.sh"

# The prefix is named after its recipe and the Debian release whose headers it was built against.
libraries_prefix() {
    if [[ -n ${RELAIS_DEPS:-} ]]; then
        echo "$RELAIS_DEPS"
        return
    fi
    if libraries_packaged; then
        echo /usr
        return
    fi
    local hash
    hash=$({
        cat "$setup_dir"/{libraries.recipe.sh,cpprest-cxx23.patch}
        sed -n 's/^VERSION_CODENAME=//p' /etc/os-release
        uname -m
    } | sha256sum)
    echo "$cache_dir/deps-${hash:0:12}"
}

libraries_packaged() {
    [[ ${#library_packages[@]} -gt 0 ]]
}

libraries_ready() {
    [[ $(libraries_prefix) == /usr || -e $(libraries_prefix)/.complete ]]
}

# apt-get with a list of its own: Debian 13's source index beside, never in, the system's
# configuration. apt checks the index against Debian's archive key and each archive against the
# index.
apt_trixie() {
    local apt=$cache_dir/apt
    apt-get -q \
        -o Dir::Etc::sourcelist="$apt/trixie.sources" -o Dir::Etc::sourceparts=- \
        -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" \
        -o APT::Sandbox::User="$(id -un)" "$@"
}

# The mirror is the one this machine uses for its own Debian.
debian_mirror() {
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format '$(REPO_URI) $(SUITE) $(ORIGIN)' 'Identifier: Packages' \
        | awk '$1 !~ /security/ && ($3 == "Debian" || $3 == "") {print $1; exit}'
}

fetch_sources() {
    local prefix=$1 mirror recipe name version
    mirror=$(debian_mirror)
    [[ -n $mirror ]] || { echo "no Debian mirror in apt's configuration"; return 1; }
    mkdir -p "$cache_dir/apt/lists/partial" "$cache_dir/apt/cache" "$prefix/src"
    cat >"$cache_dir/apt/trixie.sources" <<END
Types: deb-src
URIs: $mirror
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
    apt_trixie update
    cd "$prefix/src"
    for recipe in "${library_recipes[@]}"; do
        read -r name version _ <<<"$recipe"
        if compgen -G "${name}_${version}.orig.tar.*" >/dev/null; then
            continue
        fi
        apt_trixie source --download-only --tar-only "$name"
        compgen -G "${name}_${version}.orig.tar.*" >/dev/null || {
            echo "Debian 13 no longer has $name $version; see deploy/setup.d/libraries.recipe.sh"
            return 1
        }
    done
}

# One library: unpack, build, install, mark. Done libraries are skipped. Debian's patches stay out:
# for these four they touch tests and makefiles only.
build_library() {
    local prefix=$1 name=$2 version=$3 function=$4 jobs=$5 begin=$SECONDS
    if [[ -e $prefix/.complete-$name ]]; then
        return
    fi
    cd "$prefix/src"
    rm -rf "${name:?}-tree"
    mkdir "$name-tree"
    tar --extract --strip-components=1 -C "$name-tree" -f "${name}_${version}".orig.tar.*
    "$function" "$prefix/src/$name-tree" "$prefix" "$jobs"
    rm -rf "${name:?}-tree"
    echo "$version $((SECONDS - begin)) s" >"$prefix/.complete-$name"
}

# All four at a time, each with all cores: their single-threaded stretches fill each other.
build_libraries() {
    local prefix=$1 recipe name version function code=0
    local -A pids=()
    for recipe in "${library_recipes[@]}"; do
        read -r name version function <<<"$recipe"
        (
            set -e
            build_library "$prefix" "$name" "$version" "$function" "$nproc_count"
        ) >"$prefix/$name.log" 2>&1 &
        pids[$name]=$!
    done
    for name in "${!pids[@]}"; do
        if wait "${pids[$name]}"; then
            echo "$name $(cat "$prefix/.complete-$name")"
        else
            echo "$name failed; its log is $prefix/$name.log and ends with:"
            tail -n 20 "$prefix/$name.log"
            code=1
        fi
    done
    return $code
}

setup_libraries() {
    local prefix
    prefix=$(libraries_prefix)
    if libraries_ready; then
        return
    fi
    if [[ -n ${RELAIS_DEPS:-} ]]; then
        say "  the libraries go to RELAIS_DEPS=$prefix"
    fi
    mkdir -p "$prefix"
    step "sources of four libraries (Debian 13)" \
        "check that apt-get update works on this machine, then run the same command again" \
        fetch_sources "$prefix"
    step "build cpprestsdk librdkafka libpqxx Catch2" \
        "read the named log; done libraries are kept, so the same command goes on from there" \
        build_libraries "$prefix"
    touch "$prefix/.complete"
}
