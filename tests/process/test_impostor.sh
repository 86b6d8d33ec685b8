#!/usr/bin/env bash
# Whoever holds a client's key cannot pose as a node: a TLS server with a front end's certificate, of our own
# authority, is turned away by our client before a byte of plaintext; and a node's certificate is accepted.
set -euo pipefail
home=$(mktemp -d "${TMPDIR:-/tmp}/impostor.XXXXXX")
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$home"' EXIT

zhurnalctl cert init --tls "$home" >/dev/null
zhurnalctl cert issue --tls "$home" --node a1 --address 127.0.0.1 >/dev/null
zhurnalctl cert issue --tls "$home" --frontend portal --school 77 >/dev/null
zhurnalctl cert issue --tls "$home" --operator duty >/dev/null
passed=0 failed=0

expect() {
    if grep -q "$2" "$home/said"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s: ' "$1"
        cat "$home/said"
    fi
}

# What zhurnalctl says of a server with this certificate.
try() {
    local port
    port=$(/usr/bin/python3 -c '
import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])')
    openssl s_server -accept "127.0.0.1:$port" -tls1_2 -alpn h2 -CAfile "$home/ca.pem" -Verify 1 -quiet \
        -cert "$home/$1.pem" -key "$home/$1.key" </dev/null >"$home/server" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
        sleep 0.05
    done
    zhurnalctl --endpoint "127.0.0.1:$port" --tls "$home" --timeout 5 status >"$home/said" 2>&1 || true
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
}

try frontend
expect "a front end's certificate does not make a server" 'a node was expected, this is frontend portal'
try operator
expect "nor does an operator's" 'a node was expected, this is operator duty'
try node
if grep -q 'was expected' "$home/said"; then
    failed=$((failed + 1))
    cat "$home/said"
else
    passed=$((passed + 1))
fi
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
