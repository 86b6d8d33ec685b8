#!/usr/bin/env bash
# Three real nodes under load: twenty times the leader is killed with kill -9 and started again, then all
# three at once. Nothing that was acknowledged may be lost or recorded twice, and the logs must be
# byte-equal at the end.
set -euo pipefail
home=$(mktemp -d "${TMPDIR:-/tmp}/kills.XXXXXX")
. "$(dirname "$0")/../demo/cluster.sh"

kills=${ZHURNAL_KILLS:-20}

clean_up() {
    local code=$?
    [ "$code" = 0 ] || tail -n 5 "$home"/a?/output "$home"/writer.output || true
    [ -z "${source_pid:-}" ] || kill "$source_pid" 2>/dev/null || true
    [ -z "${writer:-}" ] || kill "$writer" 2>/dev/null || true
    stop_cluster
    rm -rf "$home"
    exit "$code"
}
trap clean_up EXIT

school=(--seed 20 --date 20260901 --grades 1-11 --parallels 6 --fill 8)
read -r school_id page _ < <(school_day --part show "${school[@]}")
acknowledged=$home/acknowledged
: >"$acknowledged"
found_cluster >"$home/founding.output"
know_cluster
zhurnalctl cert issue --tls "$home/ca" --frontend portal --school "$school_id" >/dev/null
for node in "${nodes[@]}"; do start_node "$node"; done
ctl status --wait-leader 30
for part in founding setup; do
    as=frontend
    [ $part = setup ] || as=founder
    school_day --part $part "${school[@]}" |
        ctl --as $as append --delimited --acknowledged "$acknowledged" | tail -n 3
done

# Weeks of school days, until the source is told to stop.
mkfifo "$home/entries"
school_day --part day "${school[@]}" --days 100 >"$home/entries" &
source_pid=$!
ctl --as frontend append --delimited --in-flight 16 --rate 80 --retry 300 --acknowledged "$acknowledged" \
    "$home/entries" >"$home/writer.output" 2>&1 &
writer=$!

# Until so many more are acknowledged.
await_acknowledged() {
    local from
    from=$(wc -l <"$acknowledged")
    for _ in $(seq 2000); do
        [ $(($(wc -l <"$acknowledged") - from)) -lt "$1" ] || return 0
        kill -0 "$writer" 2>/dev/null || die "the writer ended too early"
        sleep 0.02
    done
    die "nothing is acknowledged any more"
}

for kill in $(seq "$kills"); do
    await_acknowledged 10
    leading=$(leader)
    kill_node "$leading"
    await_acknowledged 10
    start_node "$leading"
    printf 'kill %d: %s led, %d are acknowledged\n' "$kill" "$leading" "$(wc -l <"$acknowledged")"
done

await_acknowledged 10
for node in "${nodes[@]}"; do kill -KILL "${pid[$node]}"; done
for node in "${nodes[@]}"; do wait "${pid[$node]}" 2>/dev/null || true; done
for node in "${nodes[@]}"; do start_node "$node"; done
await_acknowledged 10
printf 'all killed at once, and back\n'

kill "$source_pid" 2>/dev/null || true
source_pid=
# Its last entry may be cut in two.
wait "$writer" || true
writer=
grep -q ' 0 refused, 0 without an answer' "$home/writer.output" || die "the writer failed"
tail -n 3 "$home/writer.output"
ctl status --wait-leader 30
await_applied "$acknowledged"
compare_nodes "$acknowledged"
[ "$wrong" = 0 ] || die "$wrong offences"
[ "$(wc -l <"$acknowledged")" -gt $((20 * kills)) ] || die "too little was written"
echo "1 passed, 0 failed"
