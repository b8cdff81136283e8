# A private PostgreSQL cluster under the state folder. No system cluster is read or written.
# shellcheck shell=bash

# The version of the release; deploy/setup.d/packages.sh installs it.
postgres_bin=/usr/lib/postgresql/15/bin
if [[ $(system_name) == "debian 13" ]]; then
    postgres_bin=/usr/lib/postgresql/17/bin
fi

# as_postgres COMMAND…: as the user that owns the cluster.
as_postgres() {
    if [[ $(id -un) == "$postgres_user" ]]; then
        (cd / && "$@")
    else
        (cd / && runuser -u "$postgres_user" -- "$@")
    fi
}

# The postgres user must be able to walk to the state folder.
check_reachable() {
    if ! as_postgres test -x "$state_dir"; then
        die "the user $postgres_user cannot reach $state_dir: a folder above it is closed to others" \
            "clone to a folder that others may enter, or set RELAIS_STATE=/var/tmp/relais"
    fi
}

render_postgres() {
    cat <<END
# Written by relais up; changes are lost.
data_directory = '$data_dir/postgres'
hba_file = '$conf_dir/pg_hba.conf'
ident_file = '$data_dir/postgres/pg_ident.conf'
listen_addresses = '127.0.0.1'
port = $port_postgres
unix_socket_directories = '$run_dir/postgres'
password_encryption = 'scram-sha-256'
cluster_name = 'relais-$port_base'
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_line_prefix = '%m [%p] %q%u@%d '
log_lock_waits = on

max_connections = 100
superuser_reserved_connections = 3
shared_buffers = 128MB
fsync = on
synchronous_commit = on

# The outbox relays read the log. A relay that stays away may hold back this much of it.
wal_level = logical
max_wal_senders = 64
max_replication_slots = 64
max_slot_wal_keep_size = 2GB
wal_keep_size = 0
max_wal_size = 1GB
END
}

prepare_postgres() {
    local owner=$postgres_user
    mkdir -p "$run_dir/postgres"
    render_postgres >"$conf_dir/postgresql.conf"
    cat >"$conf_dir/pg_hba.conf" <<END
local all         all              scram-sha-256
host  all         all 127.0.0.1/32 scram-sha-256
host  replication all 127.0.0.1/32 scram-sha-256
END
    if [[ $(id -un) != "$owner" ]]; then
        chown "$owner" "$run_dir/postgres"
    fi
    chmod 700 "$run_dir/postgres"
    if [[ -e $data_dir/postgres/.initialized ]]; then
        return
    fi
    # An interrupted initdb leaves a folder that it refuses to use again.
    rm -rf "$data_dir/postgres"
    mkdir -p "$data_dir/postgres"
    if [[ $(id -un) != "$owner" ]]; then
        chown "$owner" "$data_dir/postgres"
    fi
    install -m 600 -o "$owner" "$secrets_dir/postgres-postgres" "$run_dir/postgres/password"
    as_postgres "$postgres_bin/initdb" -D "$data_dir/postgres" --username=postgres \
        --pwfile="$run_dir/postgres/password" --auth=scram-sha-256 --encoding=UTF8 \
        --locale=C.UTF-8 --data-checksums
    rm -f "$run_dir/postgres/password"
    as_postgres touch "$data_dir/postgres/.initialized"
}

postgres_ready() {
    "$postgres_bin/pg_isready" -q -h 127.0.0.1 -p "$port_postgres"
}

# Roles, databases and grants; the passwords travel in the environment, not in arguments. In the
# images' setup the server has a host of its own, postgres_host.
bootstrap_postgres() {
    local role variable
    OWNER_PASSWORD=$(secret postgres-relais_owner)
    export OWNER_PASSWORD
    for role in "${service_roles[@]}"; do
        variable=${role^^}_PASSWORD
        export "$variable=$(secret "postgres-$role")"
    done
    PGPASSWORD=$(secret postgres-postgres) psql -X -q -v ON_ERROR_STOP=1 \
        -h "${postgres_host:-127.0.0.1}" -p "$port_postgres" -U postgres -d postgres \
        -f "$deploy_dir/postgres/bootstrap.sql"
}
