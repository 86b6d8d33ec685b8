#!/usr/bin/env bash
# A node that was off while tens of thousands of entries were written is told to install a snapshot, fetches
# what it missed in bulk from a peer, and has the same log as the others, byte for byte; writes go on meanwhile.
set -euo pipefail
home=$(mktemp -d "${TMPDIR:-/tmp}/catchup.XXXXXX")
. "$(dirname "$0")/../demo/cluster.sh"

clean_up() {
    local code=$?
    [ "$code" = 0 ] || tail -n 10 "$home"/a?/output || true
    stop_cluster
    rm -rf "$home"
    exit "$code"
}
trap clean_up EXIT

school=(--seed 30 --date 20260901 --grades 1-11 --parallels 6 --fill 8)
read -r school_id page _ < <(school_day --part show "${school[@]}")
acknowledged=$home/acknowledged
found_cluster >"$home/founding.output"
know_cluster
zhurnalctl cert issue --tls "$home/ca" --frontend portal --school "$school_id" >/dev/null
for node in "${nodes[@]}"; do start_node "$node"; done
ctl status --wait-leader 30 >/dev/null
school_day --part founding "${school[@]}" | ctl --as founder append --delimited >/dev/null
school_day --part setup "${school[@]}" | ctl --as frontend append --delimited >/dev/null

leading=$(leader)
for behind in "${nodes[@]}"; do [ "$behind" = "$leading" ] || break; done
kill_node "$behind"
# More than the core keeps: it takes a snapshot each 20,000 entries and keeps 20,000 behind it.
school_day --part day "${school[@]}" --days 100 |
    ctl --as frontend append --delimited --in-flight 64 --acknowledged "$acknowledged" | tail -n 3
[ "$(wc -l <"$acknowledged")" -gt 42000 ] || die "only $(wc -l <"$acknowledged") entries were written"

start_node "$behind"
await_applied "$acknowledged"
grep -q 'fetches what is missing' "$home/$behind/output" || die "it did not fetch anything in bulk"
printf '%s fetched what it missed: %s\n' "$behind" "$(grep -o 'from=.*' "$home/$behind/output" | head -n 1)"
compare_nodes "$acknowledged"
[ "$wrong" = 0 ] || die "$wrong offences"
echo "1 passed, 0 failed"
