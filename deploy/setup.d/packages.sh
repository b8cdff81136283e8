# Debian packages. Nothing that they install is started: service starts are blocked while they are
# installed, no PostgreSQL cluster is made, and what was enabled for the next boot is disabled.
# shellcheck shell=bash

# What differs by release. Debian 13 has the four libraries that Debian 12 has too old, and its Boost
# is the one that cpprestsdk is built on.
case $(system_name) in
    "debian 13")
        boost=1.83 postgres=17 java=21
        library_packages=(libcatch2-dev libcpprest-dev libpqxx-dev librdkafka-dev) ;;
    *)
        boost=1.81 postgres=15 java=17
        library_packages=() ;;
esac

build_packages=(
    ca-certificates curl git make patch xz-utils openssl iproute2 procps util-linux
    debian-archive-keyring
    clang-19 lld-19 llvm-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev
    cmake ninja-build ccache pkg-config
    "libboost$boost-dev" libboost-{json,url,stacktrace}"$boost-dev"
    libboost-{atomic,chrono,date-time,filesystem,random,regex,system,thread}"$boost-dev"
    libbrotli-dev libcurl4-openssl-dev libfmt-dev libicu-dev libidn2-dev libkainjow-mustache-dev liblz4-dev
    libnghttp2-dev libpq-dev libprotobuf-dev libseccomp-dev libsodium-dev libspdlog-dev libssl-dev
    libvips-dev libzstd-dev prometheus-cpp-dev protobuf-compiler zlib1g-dev
    "${library_packages[@]}"
)
server_packages=(
    "postgresql-$postgres" "postgresql-client-$postgres" memcached supervisor prometheus
    ceph-mon ceph-osd ceph-common radosgw
    "openjdk-$java-jre-headless" maven
)
test_packages=(
    kcat wrk nghttp2-client nginx-light haproxy faketime shellcheck python3 python3-venv
    docker-compose prometheus-alertmanager debootstrap
)
# What benchmarks are measured beside; only --bench installs them.
bench_packages=(ruby-delayed-job-active-record ruby-pg)

# What the packages above would start at boot.
packaged_services=(postgresql memcached supervisor prometheus prometheus-node-exporter
    prometheus-alertmanager nginx haproxy
    ceph-mon.target ceph-osd.target ceph-radosgw.target ceph.target ceph-crash)

# Everything, unless deploy/setup was asked for what compiling alone needs.
wanted_packages() {
    printf '%s\n' "${build_packages[@]}"
    if [[ ${build_packages_only:-no} == no ]]; then
        printf '%s\n' "${server_packages[@]}" "${test_packages[@]}"
    fi
    if [[ ${with_bench:-no} == yes ]]; then
        printf '%s\n' "${bench_packages[@]}"
    fi
}

missing_packages() {
    local installed
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null \
        | sed -n 's/^installed //p' | sort -u)
    comm -23 <(wanted_packages | sort -u) <(echo "$installed")
}

as_root() {
    if [[ $(id -u) -eq 0 ]]; then
        "$@"
    else
        sudo -- "$@"
    fi
}

policy=/usr/sbin/policy-rc.d
policy_saved=/usr/sbin/policy-rc.d.before-relais
cluster_setting=/etc/postgresql-common/createcluster.d/relais.conf

block_service_starts() {
    if [[ -e $policy && ! -e $policy_saved ]] && ! grep -q 'relais setup' "$policy"; then
        as_root mv "$policy" "$policy_saved"
    fi
    printf '#!/bin/sh\n# relais setup\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    as_root mkdir -p "$(dirname "$cluster_setting")"
    echo "create_main_cluster = false" | as_root tee "$cluster_setting" >/dev/null
}

# Puts back what was there before; also after an interrupted run.
unblock_service_starts() {
    if [[ -e $policy ]] && grep -q 'relais setup' "$policy"; then
        as_root rm -f "$policy"
    fi
    if [[ -e $policy_saved ]]; then
        as_root mv "$policy_saved" "$policy"
    fi
    as_root rm -f "$cluster_setting"
    as_root rmdir --ignore-fail-on-non-empty "$(dirname "$cluster_setting")" 2>/dev/null || true
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
        -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=300 "$@"
}

install_packages() {
    local missing installed_before service
    mapfile -t missing < <(missing_packages)
    installed_before=$(systemctl list-unit-files 2>/dev/null || true)
    block_service_starts
    trap unblock_service_starts EXIT
    as_root apt-get -q -o DPkg::Lock::Timeout=300 update
    # First the part of PostgreSQL that reads the setting, then the one that would make a cluster.
    if [[ " ${missing[*]} " == *" postgresql-$postgres "* ]]; then
        apt_install postgresql-common
    fi
    apt_install "${missing[@]}"
    command -v systemctl >/dev/null || return 0
    for service in "${packaged_services[@]}"; do
        # What was here before us keeps its setting.
        if ! grep -q "^${service%.target}[.]" <<<"$installed_before"; then
            as_root systemctl disable "$service" || true
        fi
    done
}

setup_packages() {
    local missing
    if [[ $(system_name) != debian\ 1[23] ]]; then
        die "this is neither Debian 12 nor 13" \
            "the packages of deploy/setup.d/packages.sh are named for them"
    fi
    if grep -qs 'relais setup' "$policy"; then
        unblock_service_starts
    fi
    mapfile -t missing < <(missing_packages)
    if [[ ${#missing[@]} -eq 0 ]]; then
        return
    fi
    if [[ $(id -u) -ne 0 ]] && ! command -v sudo >/dev/null; then
        die "${#missing[@]} Debian packages are missing and only root may install them" \
            "run deploy/setup as root once, or install sudo"
    fi
    step "${#missing[@]} Debian packages" \
        "check that apt-get update works on this machine, then run the same command again" \
        install_packages
}
