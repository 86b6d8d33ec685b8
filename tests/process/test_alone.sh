#!/usr/bin/env bash
# A first start by oneself, as its greeting says: zhurnald --data DIR, then zhurnalctl. Both are found
# in PATH; the port is the node's own choice.
set -uo pipefail

dir=$(mktemp -d)
pid=
passed=0 failed=0

finish() {
    [ -n "$pid" ] && kill -9 "$pid" 2>/dev/null
    rm -rf "$dir"
}
trap finish EXIT

count() {
    if [ "$1" = 0 ]; then
        passed=$((passed + 1)) && echo "ok   $2"
    else
        failed=$((failed + 1)) && echo "FAIL $2" && cat "$dir/out"
    fi
}

# expect CODE NAME COMMAND...: the command ends with this code; what it says is kept in $dir/out.
expect() {
    local wanted=$1 name=$2
    shift 2
    "$@" >"$dir/out" 2>&1
    [ $? = "$wanted" ]
    count $? "$name"
}

# says PATTERN: what expect ran has said it.
says() {
    grep -qE -- "$1" "$dir/out"
    count $? "  and says: $1"
}

# Starts the node; the greeting is then in $dir/greeting.
start() {
    : >"$dir/greeting"
    zhurnald --data "$dir/node" --listen 127.0.0.1:0 >"$dir/greeting" 2>>"$dir/log" &
    pid=$!
    for _ in $(seq 200); do
        grep -q 'of school' "$dir/greeting" && break
        sleep 0.05
    done
    endpoint=$(sed -nE 's/.*--endpoint ([^ ]+) .*/\1/p' "$dir/greeting")
    school=$(sed -nE 's/.*of school ([0-9]+).*/\1/p' "$dir/greeting")
}

stop() {
    kill "$pid" && wait "$pid"
    local code=$?
    pid=
    return "$code"
}

ctl() { zhurnalctl --endpoint "$endpoint" --tls "$dir/node/tls" "$@"; }

# mark NUMBER: an AppendRequest as JSON.
mark() {
    printf '{"draft": {"school": "%s", "actor": {"person": "7", "role": "ROLE_SUBJECT_TEACHER"},
        "events": [{"day": 20261123, "markSet": {"pupil": "9", "lesson": "4", "slot": 1,
        "mark": {"markKind": "MARK_KIND_NUMBER", "number": %d}}}]}}' "$school" "$1"
}

start
greeted=$(sed -n 's/^ *\(zhurnalctl .*\)/\1/p' "$dir/greeting")
expect 0 "the greeting's own line works" bash -c "$greeted"
says leader

expect 1 "a port that another has" zhurnald --data "$dir/other" --listen "$endpoint"
says 'address already in use.*--listen 127.0.0.1:0'

mark 5 >"$dir/mark.json"
expect 0 "a front end appends" ctl --as frontend append "$dir/mark.json"
expect 0 "an auditor replays" ctl --as auditor replay --ids
says "$school"
expect 1 "an operator writes nothing in a school" ctl append "$dir/mark.json"
says "front end's certificate"
expect 1 "a page that is not there" ctl --as auditor page --school "$school" --page 1
says 'no page'
ctl --as auditor replay --ids >"$dir/ids"

kill -9 "$pid" && wait "$pid" 2>/dev/null
start
ctl --as auditor replay --ids >"$dir/ids.after"
expect 0 "kill -9 loses nothing and doubles nothing" cmp "$dir/ids" "$dir/ids.after"
expect 0 "a later start asks no question" ctl status
mark 4 >"$dir/mark.json"
expect 0 "and writes go on" ctl --as frontend append "$dir/mark.json"
expect 0 "SIGTERM ends it in order" stop
expect 3 "then nobody answers" ctl --timeout 2 status

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
