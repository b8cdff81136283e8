# How the four libraries are built that Debian 12 has only in versions we cannot use. The hash of
# this file and of the patch is part of the prefix's name: any change makes a new prefix.
# shellcheck shell=bash
#
# cpprestsdk   Debian 12's is built on Boost 1.74, which cannot share a process with 1.81
# librdkafka   2.0.2 has a dozen defects that 2.8 does not have
# libpqxx      7.7 lacks what 7.10 has for C++20 and later
# Catch2       3.7

# source package, version, function
library_recipes=(
    "cpprest 2.10.19 build_cpprest"
    "librdkafka 2.8.0 build_librdkafka"
    "libpqxx 7.10.0 build_libpqxx"
    "catch2 3.7.1 build_catch2"
)

# The standard is the one of our own code: the headers of libpqxx and Asio differ by it, and code
# of both sides meets in one binary.
library_cxx_flags="-std=c++23 -O2 -g1 -fPIC -fstack-protector-strong -fcf-protection"
library_c_flags="-O2 -g1 -fPIC -fstack-protector-strong -fcf-protection -D_FORTIFY_SOURCE=2"

# build_with_cmake SOURCE PREFIX JOBS [OPTION…]
build_with_cmake() {
    local source=$1 prefix=$2 jobs=$3
    shift 3
    cmake -S "$source" -B "$source/build" -G Ninja \
        -DCMAKE_BUILD_TYPE=None -DBUILD_SHARED_LIBS=OFF \
        -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 \
        -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache \
        "-DCMAKE_C_FLAGS=$library_c_flags" "-DCMAKE_CXX_FLAGS=$library_cxx_flags" \
        -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
        "-DCMAKE_INSTALL_PREFIX=$prefix" -DCMAKE_INSTALL_LIBDIR=lib "$@"
    cmake --build "$source/build" -j "$jobs"
    cmake --install "$source/build"
}

# WERROR off: the source is older than the compiler.
build_cpprest() {
    patch --directory "$1/Release" --strip 1 <"$setup_dir/cpprest-cxx23.patch"
    build_with_cmake "$1/Release" "$2" "$3" \
        -DBUILD_TESTS=OFF -DBUILD_SAMPLES=OFF -DWERROR=OFF \
        -DCPPREST_EXCLUDE_WEBSOCKETS=ON -DCPPREST_EXCLUDE_BROTLI=ON \
        -DCPPREST_HTTP_CLIENT_IMPL=asio
}

# SASL PLAIN, SCRAM and OAUTHBEARER are built in; WITH_SASL would add Cyrus for Kerberos. Threads by
# pthreads, not by C11: ThreadSanitizer knows nothing of the latter, and a thread it does not know ends
# the process.
build_librdkafka() {
    sed -i 's/^#cmakedefine01 WITH_C11THREADS$/#define WITH_C11THREADS 0/' \
        "$1/packaging/cmake/config.h.in"
    build_with_cmake "$1" "$2" "$3" \
        -DRDKAFKA_BUILD_STATIC=ON -DRDKAFKA_BUILD_EXAMPLES=OFF -DRDKAFKA_BUILD_TESTS=OFF \
        -DWITH_SSL=ON -DWITH_ZLIB=ON -DWITH_ZSTD=ON -DENABLE_LZ4_EXT=ON \
        -DWITH_SASL=OFF -DWITH_CURL=OFF -DWITH_PLUGINS=OFF
}

build_libpqxx() {
    build_with_cmake "$1" "$2" "$3" -DSKIP_BUILD_TEST=ON -DBUILD_DOC=OFF
}

build_catch2() {
    build_with_cmake "$1" "$2" "$3" \
        -DBUILD_TESTING=OFF -DCATCH_INSTALL_DOCS=OFF -DCATCH_INSTALL_EXTRAS=ON
}
