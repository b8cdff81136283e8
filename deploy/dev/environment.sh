# The one place that says what an environment is: a state folder, a port base, secrets, and which
# variables each program gets from them. Sourced by relais and by deploy/dev/run.
# shellcheck shell=bash disable=SC2034
#
# In:  RELAIS_STATE       state folder (default: .relais in the clone)
#      RELAIS_PORT_BASE   first port (default 8400)
#      RELAIS_BUILD       build tree with the binaries (default: .relais/build/release)
#      RELAIS_CACHE, RELAIS_KAFKA_VERSION, RELAIS_LOG_LEVEL

root_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
deploy_dir=$root_dir/deploy
cache_dir=${RELAIS_CACHE:-/var/cache/relais}

services=(gateway web-api upload notification mailing-list-sync)
# A database and a role each.
service_roles=(web_api upload notification mailing_list_sync)

# set_environment: computes the variables below from RELAIS_*.
set_environment() {
    state_dir=$(realpath -m "${RELAIS_STATE:-$root_dir/.relais}")
    port_base=${RELAIS_PORT_BASE:-8400}
    build_dir=$(realpath -m "${RELAIS_BUILD:-$root_dir/.relais/build/release}")
    kafka_version=${RELAIS_KAFKA_VERSION:-4.3.1}
    data_dir=$state_dir/data
    conf_dir=$state_dir/conf
    log_dir=$state_dir/log
    secrets_dir=$state_dir/secrets
    # A socket's path has at most 107 bytes. A deep state folder gets its sockets elsewhere.
    run_dir=$state_dir/run
    if [[ ${#run_dir} -gt 70 ]]; then
        run_dir=/tmp/relais-$(id -u)-$(sha256sum <<<"$state_dir" | cut -c1-12)
    fi
    # initdb and postgres refuse to run as root; everybody else runs them as themselves.
    if [[ $(id -u) -eq 0 ]]; then
        postgres_user=postgres
    else
        postgres_user=$(id -un)
    fi
    set_ports
}

set_ports() {
    port_gateway=$port_base port_web_api=$((port_base + 10)) port_upload=$((port_base + 20))
    port_notification=$((port_base + 30)) port_mailing_list_sync=$((port_base + 40))
    port_sandbox=$((port_base + 50)) port_smtp=$((port_base + 55))
    port_postgres=$((port_base + 60)) port_kafka=$((port_base + 61))
    port_kafka_controller=$((port_base + 62)) port_memcached=$((port_base + 63))
    port_s3=$((port_base + 64)) port_ceph_mon=$((port_base + 65)) port_ceph_osd=$((port_base + 66))
    port_prometheus=$((port_base + 90))
}

# service_port NAME: the public port of a service; its admin port is the next one.
service_port() {
    local variable=port_${1//-/_}
    echo "${!variable}"
}

# admin_url SERVICE: its admin listener.
admin_url() {
    echo "http://127.0.0.1:$(($(service_port "$1") + 1))"
}

# secret NAME: the value of a secret of this environment.
secret() {
    cat "$secrets_dir/$1"
}

# database_url ROLE DATABASE
database_url() {
    echo "postgresql://$1:$(secret "postgres-$1")@127.0.0.1:$port_postgres${2:+/$2}"
}

# common_variables SERVICE
common_variables() {
    local name=$1 port
    port=$(service_port "$name")
    export RELAIS_LISTEN=127.0.0.1:$port RELAIS_ADMIN_LISTEN=127.0.0.1:$((port + 1))
    export RELAIS_LOG_LEVEL=${RELAIS_LOG_LEVEL:-info} RELAIS_ENVIRONMENT=development
    # The same name after a restart: Kafka gives a killed instance its partitions back at once.
    default_variable RELAIS_INSTANCE "$name-1"
    # Twice the gateway's health check, so that it stops using kept connections first.
    default_variable RELAIS_DRAIN_DELAY 1000
    export RELAIS_SHARE_DIR=$build_dir/share/relais
    export RELAIS_KAFKA_BROKERS=127.0.0.1:$port_kafka RELAIS_MEMCACHED=127.0.0.1:$port_memcached
    default_variable RELAIS_PUBLIC_URL "http://127.0.0.1:$port_gateway"
    export RELAIS_IDENTITY_PUBLIC_KEY_FILE=$secrets_dir/identity-public
    if [[ $name != gateway ]]; then
        RELAIS_DATABASE_URL=$(database_url "${name//-/_}" "${name//-/_}")
        export RELAIS_DATABASE_URL
    fi
}

gateway_variables() {
    common_variables gateway
    export RELAIS_TAKEOVER_SOCKET=$run_dir/gateway.takeover
    export RELAIS_IDENTITY_PRIVATE_KEY_FILE=$secrets_dir/identity-private
    export RELAIS_WEB_API_URL=http://127.0.0.1:$port_web_api
    export RELAIS_UPLOAD_URL=http://127.0.0.1:$port_upload
    export RELAIS_NOTIFICATION_URL=http://127.0.0.1:$port_notification
    export RELAIS_MAILING_LIST_SYNC_URL=http://127.0.0.1:$port_mailing_list_sync
}

web_api_variables() {
    common_variables web-api
    export RELAIS_MEDIA_PUBLIC_URL=http://127.0.0.1:$port_s3/relais-media
    export RELAIS_MAIL_TOKEN_KEY_FILE=$secrets_dir/mail-token-key
}

s3_variables() {
    export RELAIS_S3_ENDPOINT=http://127.0.0.1:$port_s3
    export RELAIS_S3_PUBLIC_ENDPOINT=http://127.0.0.1:$port_s3 RELAIS_S3_REGION=default
    RELAIS_S3_ACCESS_KEY=$(secret s3-access-key)
    export RELAIS_S3_ACCESS_KEY RELAIS_S3_SECRET_KEY_FILE=$secrets_dir/s3-secret-key
    export RELAIS_S3_BUCKET_STAGING=relais-staging RELAIS_S3_BUCKET_MEDIA=relais-media
    export RELAIS_MEDIA_PUBLIC_URL=http://127.0.0.1:$port_s3/relais-media
}

# Where the store tells the upload service about new objects.
object_events_url() {
    echo "http://127.0.0.1:$port_upload/internal/v1/object-events?token=$(secret s3-event-token)"
}

upload_variables() {
    common_variables upload
    s3_variables
    export RELAIS_S3_EVENT_TOKEN_FILE=$secrets_dir/s3-event-token
    export RELAIS_UPLOAD_WORKER=$build_dir/bin/relais-upload-worker
}

# The caller's settings of services (real providers and their keys, log level …), kept for the
# programs that the supervisor starts later.
service_settings() {
    compgen -e | grep -E "^RELAIS_(MAIL_(PROVIDER|FROM)|MAILJET_|SMTP_|ONESIGNAL_|BREVO_|SENDING_|\
PROVIDER_|DATABASE_CONNECTIONS$|INSTANCES_MAX$|PUBLIC_URL$|LOG_LEVEL$|DRAIN_DELAY$|STOP_LIMIT$|\
UPLOAD_(GRANT|OPEN|CONC)|ARGON2_|CONNECTIONS_MAX$)" || true
}

save_service_settings() (
    umask 077
    local name
    for name in $(service_settings); do
        printf 'export %s=%q\n' "$name" "${!name}"
    done >"$secrets_dir/overrides"
)

# The providers are the sandbox unless the caller's environment names real ones with their keys.
notification_variables() {
    common_variables notification
    export RELAIS_MAIL_TOKEN_KEY_FILE=$secrets_dir/mail-token-key
    export RELAIS_MAIL_PROVIDER=${RELAIS_MAIL_PROVIDER:-mailjet}
    export RELAIS_MAIL_FROM=${RELAIS_MAIL_FROM:-no-reply@relais.example}
    if [[ -z ${RELAIS_MAILJET_URL:-} ]]; then
        # The sandbox can find a mail after 200 ms; how soon Mailjet can, nobody says.
        default_variable RELAIS_MAIL_LOOK_UP_FIRST 1000
        default_variable RELAIS_MAIL_LOOK_UP_SECOND 2000
    fi
    export RELAIS_MAILJET_URL=${RELAIS_MAILJET_URL:-http://127.0.0.1:$((port_sandbox + 1))}
    default_variable RELAIS_MAILJET_KEY "$(secret mailjet-key)"
    default_secret RELAIS_MAILJET_SECRET mailjet-secret
    default_secret RELAIS_MAILJET_WEBHOOK_TOKEN mailjet-webhook-token
    if [[ -z ${RELAIS_SMTP_URL:-} ]]; then
        export RELAIS_SMTP_URL=smtp://localhost:$port_smtp
        export RELAIS_SMTP_CA_FILE=$data_dir/sandbox/smtp.crt
    fi
    export RELAIS_ONESIGNAL_URL=${RELAIS_ONESIGNAL_URL:-http://127.0.0.1:$((port_sandbox + 3))}
    default_variable RELAIS_ONESIGNAL_APP_ID "$(secret onesignal-app-id)"
    default_secret RELAIS_ONESIGNAL_KEY onesignal-key
    default_secret RELAIS_ONESIGNAL_WEBHOOK_TOKEN onesignal-webhook-token
    default_variable RELAIS_TEMPLATES_DIR "$build_dir/share/relais/templates/notification"
}

mailing_list_sync_variables() {
    common_variables mailing-list-sync
    export RELAIS_MAIL_FROM=${RELAIS_MAIL_FROM:-no-reply@relais.example}
    export RELAIS_BREVO_URL=${RELAIS_BREVO_URL:-http://127.0.0.1:$((port_sandbox + 2))}
    default_secret RELAIS_BREVO_KEY brevo-key
    default_secret RELAIS_BREVO_WEBHOOK_TOKEN brevo-webhook-token
}

sandbox_variables() {
    export PYTHONPATH=$root_dir/tests/sandbox PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
    local name variable
    for name in mailjet-key mailjet-secret brevo-key onesignal-app-id onesignal-key; do
        variable=RELAIS_SANDBOX_${name//-/_}
        export "${variable^^}=$(secret "$name")"
    done
}

# relaisctl runs with the rights of an operator: every database, as the owner of its objects.
relaisctl_variables() {
    common_variables web-api
    s3_variables
    RELAIS_MIGRATE_URL=$(database_url relais_owner "")
    export RELAIS_MIGRATE_URL RELAIS_MAIL_TOKEN_KEY_FILE=$secrets_dir/mail-token-key
}

# What the functional and end-to-end tests find their servers by.
test_variables() {
    RELAIS_TEST_POSTGRES=$(database_url postgres "")
    RELAIS_TEST_S3_ACCESS_KEY=$(secret s3-access-key)
    RELAIS_TEST_S3_SECRET_KEY=$(secret s3-secret-key)
    export RELAIS_TEST_POSTGRES RELAIS_TEST_S3_ACCESS_KEY RELAIS_TEST_S3_SECRET_KEY
    export RELAIS_TEST_KAFKA=127.0.0.1:$port_kafka RELAIS_TEST_S3=http://127.0.0.1:$port_s3
    export RELAIS_TEST_MEMCACHED=127.0.0.1:$port_memcached
    export RELAIS_TEST_SANDBOX=http://127.0.0.1:$port_sandbox
    export RELAIS_TEST_GATEWAY=http://127.0.0.1:$port_gateway
}

# default_variable NAME VALUE: exports it unless the caller's environment has it.
default_variable() {
    export "$1=${!1:-$2}"
}

# default_secret NAME SECRET: NAME_FILE names our secret unless the caller gives NAME or NAME_FILE.
default_secret() {
    local file=$1_FILE
    if [[ -z ${!1:-} && -z ${!file:-} ]]; then
        export "$file=$secrets_dir/$2"
    fi
}

# program_variables PROGRAM: exports what the program is configured with.
program_variables() {
    if [[ -e $secrets_dir/overrides ]]; then
        # shellcheck source=/dev/null
        source "$secrets_dir/overrides"
    fi
    "${1//-/_}_variables"
    # What a fault test changes for one program, as long as the fault lasts (tests/chaos).
    if [[ -e $conf_dir/$1.changes ]]; then
        # shellcheck source=/dev/null
        source "$conf_dir/$1.changes"
    fi
}

python_venv() {
    "$deploy_dir/setup" --print-python
}
