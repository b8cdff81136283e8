# Builds a preset into .relais/build/<preset>; when nothing changed this is one run of ninja.
# shellcheck shell=bash

# ccache hits across clones, too: paths below the clone count as relative, and the precompiled header,
# which holds the clone's path, counts by a sum of what it is made from.
export CCACHE_DIR=${CCACHE_DIR:-$cache_dir/ccache} CCACHE_BASEDIR=$root_dir CCACHE_NOHASHDIR=1
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
export CCACHE_PCH_EXTSUM=1
export CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-10G}

preset_dir() {
    echo "$root_dir/.relais/build/$1"
}

# configure PRESET PREFIX: again when the libraries moved to another prefix.
configure() {
    local dir
    dir=$(preset_dir "$1")
    if [[ -e $dir/build.ninja ]] && grep -qx "RELAIS_DEPS:PATH=$2" "$dir/CMakeCache.txt"; then
        return
    fi
    # Without the cache: it remembers where in the old prefix each library was found.
    cmake --preset "$1" --fresh "-DRELAIS_DEPS=$2"
}

# write_header_sum DIR: the precompiled header holds headers of these packages only.
write_header_sum() {
    local sum=$1/CMakeFiles/relais_pch.dir/cmake_pch.hxx.pch.sum
    {
        cat cmake/compile_options.cmake
        dpkg-query -W 'clang-*' 'libstdc++-*-dev' libc6-dev libfmt-dev 'libboost*-dev'
    } >"$sum.new"
    cmp -s "$sum.new" "$sum" || mv "$sum.new" "$sum"
}

# build_preset PRESET [OPTION OF CMAKE…]
build_preset() {
    configure "$1" "$("$deploy_dir/setup" --print-prefix)"
    write_header_sum "$(preset_dir "$1")"
    cmake --build "$(preset_dir "$1")" "${@:2}"
}

# step_build PRESET: the first time takes minutes, and says so.
step_build() {
    local name="build ($1)"
    if [[ ! -e $(preset_dir "$1")/build.ninja ]]; then
        name="build ($1; minutes, see the log)"
    fi
    step "$name" "read the compiler's message in the log, repair it, run the same command again" \
        build_preset "$1"
}

# The build tree that the environment runs from is ours to build only if it is a preset's.
step_build_suite() {
    if [[ $build_dir == "$(preset_dir release)" ]]; then
        step_build release
    fi
}
