#!/usr/bin/env bash
# Entries a second, and the latency of each, of `zhurnalctl append` against three nodes on this machine,
# mutual TLS and all, with 1, 8 and 64 in flight; beside what the disk alone gives. Everything in one run,
# one after the other, so that the ratios mean something on a noisy machine.
set -euo pipefail
home=$(mktemp -d "${TMPDIR:-/tmp}/bench.XXXXXX")
. "$(dirname "$0")/../demo/cluster.sh"
trap 'stop_cluster; rm -rf "$home"' EXIT

school=(--seed 11 --date 20260901 --grades 1-11 --parallels 6 --fill 30)
read -r school_id _ < <(school_day --part show "${school[@]}")
found_cluster >/dev/null
know_cluster
zhurnalctl cert issue --tls "$home/ca" --frontend portal --school "$school_id" >/dev/null
for node in "${nodes[@]}"; do start_node "$node"; done
ctl status --wait-leader 30 >/dev/null
school_day --part founding "${school[@]}" | ctl --as founder append --delimited >/dev/null
school_day --part setup "${school[@]}" | ctl --as frontend append --delimited >/dev/null
school_day --part day "${school[@]}" --days 90 >"$home/entries"

flushes() {
    /usr/bin/python3 - "$home/flush" <<'EOF'
import os, sys, time
times = []
with open(sys.argv[1], "wb", buffering=0) as file:
    for _ in range(1000):
        begun = time.perf_counter()
        os.pwrite(file.fileno(), bytes(4096), 0)
        os.fdatasync(file.fileno())
        times.append(time.perf_counter() - begun)
times.sort()
print(f"disk alone, 4 KiB written and flushed: p50 {times[500] * 1e3:.2f} ms, p99 {times[990] * 1e3:.2f} ms")
EOF
}

# Walks over the entries: those from FIRST on, COUNT of them; without arguments, how many there are.
take() { /usr/bin/python3 -c '
import sys
data = open(sys.argv[1], "rb").read()
first, count = (int(sys.argv[2]), int(sys.argv[3])) if len(sys.argv) > 2 else (0, sys.maxsize)
at = number = 0
while at < len(data) and number < first + count:
    begun, size, shift = at, 0, 0
    while True:
        byte = data[at]
        at, size, shift = at + 1, size | (byte & 127) << shift, shift + 7
        if byte < 128:
            break
    at += size
    if number >= first and len(sys.argv) > 2:
        sys.stdout.buffer.write(data[begun:at])
    number += 1
if len(sys.argv) == 2:
    print(number)' "$home/entries" "$@"; }

leading=$(leader)
for following in "${nodes[@]}"; do [ "$following" = "$leading" ] || break; done
printf 'three nodes, %s; entries of %d bytes in the mean\n' "$(zhurnald --version)" \
    "$(($(wc -c <"$home/entries") / $(take)))"
flushes
from=0
for spec in 1:2000 8:4000 64:10000; do
    for to in leader:"$leading" follower:"$following"; do
        take "$from" "${spec#*:}" >"$home/part"
        from=$((from + ${spec#*:}))
        printf '%2d in flight, to the %-8s ' "${spec%:*}" "${to%:*}"
        zhurnalctl --endpoint "127.0.0.1:${port[${to#*:}]}" --tls "$home/ca" --as frontend append \
            --delimited --in-flight "${spec%:*}" "$home/part" | tail -n 2 | paste -s -d ' '
    done
done
flushes
