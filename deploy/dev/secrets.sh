# Secrets of an environment: made once, files that only their owner reads.
# shellcheck shell=bash

write_secret() {
    if [[ ! -s $secrets_dir/$1 ]]; then
        printf '%s' "$2" >"$secrets_dir/$1.new"
        mv "$secrets_dir/$1.new" "$secrets_dir/$1"
    fi
}

random_hex() {
    openssl rand -hex "$1"
}

base64url() {
    openssl base64 -A | tr '+/' '-_' | tr -d '='
}

# An Ed25519 pair as two raw 32-byte keys: the last 32 bytes of the PKCS#8 and SPKI encodings.
write_identity_keys() {
    local key=$secrets_dir/identity.pem
    if [[ -s $secrets_dir/identity-public ]]; then
        return
    fi
    openssl genpkey -algorithm ed25519 -out "$key"
    openssl pkey -in "$key" -outform DER | tail -c 32 | base64url >"$secrets_dir/identity-private"
    openssl pkey -in "$key" -pubout -outform DER | tail -c 32 | base64url \
        >"$secrets_dir/identity-public.new"
    rm -f "$key"
    mv "$secrets_dir/identity-public.new" "$secrets_dir/identity-public"
}

make_secrets() (
    umask 077
    mkdir -p "$secrets_dir"
    chmod 700 "$secrets_dir"
    local role
    for role in postgres relais_owner "${service_roles[@]}"; do
        write_secret "postgres-$role" "$(random_hex 16)"
    done
    write_identity_keys
    write_secret mail-token-key "$(openssl rand 32 | base64url)"
    write_secret s3-access-key "$(random_hex 10)"
    write_secret s3-secret-key "$(random_hex 20)"
    write_secret s3-event-token "$(random_hex 16)"
    write_secret mailjet-webhook-token "$(random_hex 16)"
    write_secret brevo-webhook-token "$(random_hex 16)"
    write_secret onesignal-webhook-token "$(random_hex 16)"
    # What the sandbox accepts when nobody tells it otherwise; the functional tests use these, too.
    write_secret mailjet-key sandbox-mailjet-key
    write_secret mailjet-secret sandbox-mailjet-secret
    write_secret brevo-key xkeysib-sandbox
    write_secret onesignal-app-id 6e9bb0f5-2a41-4c5c-9d8e-0c9f5b7c1a52
    write_secret onesignal-key os_v2_app_sandbox
)
