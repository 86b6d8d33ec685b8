#!/usr/bin/env bash
# Three nodes on loopback, a small school, one school day; the leader is killed in the middle of it and
# comes back. Ends with what was acknowledged against what each node holds, and exits non-zero if a
# single acknowledged entry is missing or recorded twice.
set -euo pipefail
home=$(mktemp -d "${TMPDIR:-/tmp}/zhurnal-demo.XXXXXX")
. "$(dirname "$0")/cluster.sh"

interrupted=130
writer=
clean_up() {
    local code=$?
    if [ "$code" != 0 ] && [ "$code" != $interrupted ]; then
        printf '\ndemo: failed; the last lines of each node:\n' >&2
        tail -n 5 "$home"/a?/output >&2 || true
    fi
    [ -z "$writer" ] || kill "$writer" 2>/dev/null || true
    stop_cluster
    rm -rf "$home"
    exit "$code"
}
trap clean_up EXIT
trap 'exit $interrupted' INT TERM HUP

today=$(date +%Y%m%d)
school=(--seed 7 --date "$today" --grades 1-11 --parallels 2 --fill 24)
read -r school_id page day class subject < <(school_day --part show "${school[@]}")
day_name="$(date -d "$day" +%Y-%m-%d), $([ "$day" = "$today" ] && echo today || echo the last school day)"
acknowledged=$home/acknowledged
: >"$acknowledged"

# Sends one part of the school's entries, with the certificate that it needs.
write() {
    school_day --part "$1" "${school[@]}" |
        ctl --as "$2" append --delimited --acknowledged "$acknowledged" "${@:3}"
}

# What append says at its end.
summary() { sed -n '/ recorded, /,$p'; }

say "1. An authority, certificates for three nodes and for those who call them, a founding file"
found_cluster >"$home/founding.output"
know_cluster
zhurnalctl cert issue --tls "$home/ca" --frontend portal --school "$school_id" >>"$home/founding.output"
head -n 1 "$home/founding.output"
printf 'certificates: node a1, a2, a3; founder district, front end portal, operator duty, auditor ministry\n'

say "2. Three nodes start, and elect a leader among them"
for node in "${nodes[@]}"; do start_node "$node"; done
ctl status --wait-leader 30 >"$home/status.output"
await_alike
ctl status --wait-leader 30

say "3. The district registers a school; its front end sets it up: people, classes, pages"
write founding founder | summary
write setup frontend | summary

say "4. A school day is written: lessons, attendance, marks, homework, messages ($day_name)"
before=$(wc -l <"$acknowledged")
school_day --part day "${school[@]}" >"$home/day"
zhurnalctl --endpoint "$endpoints" --tls "$home/ca" --as frontend append --delimited --in-flight 4 --rate 40 \
    --retry 120 --acknowledged "$acknowledged" "$home/day" >"$home/day.output" &
writer=$!
for _ in $(seq 1000); do
    [ $(($(wc -l <"$acknowledged") - before)) -ge 60 ] && break
    sleep 0.02
done
killed=$(leader)
say "5. In the middle of it, after $(($(wc -l <"$acknowledged") - before)) entries: kill -9 of the leader, node $killed. The writing goes on"
killed_at=$(date +%s%3N)
kill_node "$killed"
wait "$writer" || die "the school day was not written whole"
writer=
summary <"$home/day.output"
printf 'What was sent again was sent while nobody led.\n'
await_alike
ctl status || true
led_at=$(grep -h 'this node leads$' "$home"/a?/output | sed 's/ .*//' | sort | tail -n 1)
pause=$(($(date -d "$led_at" +%s%3N) - killed_at))

say "6. Node $killed starts again, and catches up"
start_node "$killed"
ctl status --wait-leader 30 >"$home/status.output"
await_applied "$acknowledged"
await_alike
ctl status --wait-leader 30

say "7. What was acknowledged, against what each node holds"
compare_nodes "$acknowledged"
for node in "${nodes[@]}"; do
    cmp -s "$home/${nodes[0]}/page" "$home/$node/page" || wrong=$((wrong + 1))
done

say "8. One page: $class, $subject"
cat "$home/$killed/page"

printf '\nNobody led for %d ms after the kill; an election takes one to two seconds.\n' "$pause"
[ "$wrong" = 0 ] || die "$wrong entries are missing or doubled, or the nodes' logs differ"
printf 'Every acknowledged entry is on each of the three nodes, once, in the same place.\n'
