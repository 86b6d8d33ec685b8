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
# At the end of its input openssl would hang up.
mkfifo "$home/input"
exec 3<>"$home/input"
passed=0 failed=0

# What must hold, and what to show where it does not.
expect() {
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s:\n' "$what"
        cat "$home/said" "$home/server"
    fi
}

said() { grep -q "$1" "$home/said"; }
# The client's first words, which come only after a handshake that both sides are content with.
spoken_to() { grep -aq 'PRI \* HTTP/2\.0' "$home/server"; }
not() { ! "$@"; }

# What zhurnalctl says of a server with this certificate.
try() {
    local port
    port=$(/usr/bin/python3 -c '
import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])')
    openssl s_server -accept "127.0.0.1:$port" -tls1_2 -alpn h2 -CAfile "$home/ca.pem" -Verify 1 -quiet \
        -cert "$home/$1.pem" -key "$home/$1.key" <&3 >"$home/server" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
        sleep 0.05
    done
    zhurnalctl --endpoint "127.0.0.1:$port" --tls "$home" --timeout 2 status >"$home/said" 2>&1 || true
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
}

try frontend
expect "a front end's certificate does not make a server" said 'a node was expected, this is frontend portal'
expect 'and it is not spoken to' not spoken_to
try operator
expect "nor does an operator's" said 'a node was expected, this is operator duty'
expect 'and it is not spoken to' not spoken_to
try node
expect "a node's is accepted" spoken_to
expect 'and not complained of' not said 'was expected'
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
