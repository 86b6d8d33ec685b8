# Three nodes on loopback, for demo.sh and run.sh, which source this. Everything stands under $home.
#
# Needs zhurnald, zhurnalctl and school_day in PATH. Stops what it started by its process id.

nodes=(a1 a2 a3)
declare -A pid=() port=()

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
die() {
    printf 'demo: %s\n' "$*" >&2
    exit 1
}

ctl() { zhurnalctl --endpoint "$endpoints" --tls "$home/ca" "$@"; }

# Sets port[$1] to one that nobody listens on, below those that the kernel gives to callers.
choose_port() {
    local candidate
    while candidate=$((20000 + RANDOM % 10000)); do
        case " ${port[*]} " in
        *" $candidate "*) continue ;;
        esac
        (: >"/dev/tcp/127.0.0.1/$candidate") 2>/dev/null || break
    done
    port[$1]=$candidate
}

# Certificates, the founding file, a data directory and a configuration for each node.
found_cluster() {
    local node members=()
    zhurnalctl cert init --tls "$home/ca"
    for node in "${nodes[@]}"; do
        choose_port "$node"
        members+=(--found "$node=127.0.0.1:${port[$node]}")
    done
    zhurnalctl init --tls "$home/ca" "${members[@]}" -o "$home/founding.ini"
    for node in "${nodes[@]}"; do
        mkdir -p "$home/$node/tls"
        zhurnalctl init --data "$home/$node/data" --founding "$home/founding.ini" --node "$node"
        zhurnalctl cert issue --tls "$home/ca" --node "$node" --address 127.0.0.1 \
            --address localhost --out "$home/$node/tls"
        cat >"$home/$node/zhurnald.conf" <<EOF
[node]
data = $home/$node/data
listen = 127.0.0.1:${port[$node]}
[tls]
authority = $home/ca/ca.pem
certificate = $home/$node/tls/node.pem
key = $home/$node/tls/node.key
EOF
        printf '%s\n' "${port[$node]}" >"$home/$node/port"
    done
    zhurnalctl cert issue --tls "$home/ca" --founder district
    zhurnalctl cert issue --tls "$home/ca" --operator duty
    zhurnalctl cert issue --tls "$home/ca" --auditor ministry
}

# Sets $endpoints from what found_cluster wrote.
know_cluster() {
    local node list=()
    for node in "${nodes[@]}"; do
        port[$node]=$(<"$home/$node/port")
        list+=("127.0.0.1:${port[$node]}")
    done
    endpoints=$(IFS=, && printf '%s' "${list[*]}")
}

# In a session of its own: Ctrl-C is for the script, which then stops the nodes in order.
start_node() {
    setsid zhurnald --config "$home/$1/zhurnald.conf" >>"$home/$1/output" 2>&1 &
    pid[$1]=$!
}

# kill -9, and only what was started here.
kill_node() {
    kill -KILL "${pid[$1]}"
    wait "${pid[$1]}" 2>/dev/null || true
    unset "pid[$1]"
}

# Nothing interrupts this: the nodes would stay behind.
stop_cluster() {
    local node
    trap '' INT TERM HUP
    for node in "${!pid[@]}"; do
        kill -TERM "${pid[$node]}" 2>/dev/null || true
    done
    for node in "${!pid[@]}"; do
        wait "${pid[$node]}" 2>/dev/null || true
    done
    pid=()
}

# The name of the node that leads.
leader() {
    ctl status -o json --wait-leader 30 | sed -nE 's/^\{[^{]*"leader":"([0-9a-f]+)".*/\1/p' | head -n 1
}

# Waits until the nodes that run have one log, and have applied it alike; a follower hears of what is
# committed a moment after the leader.
await_alike() {
    local answers
    for _ in $(seq 100); do
        answers=$(ctl status -o json 2>/dev/null | sed -nE 's/.*("lastIndex".*"digest":"[^"]*").*/\1/p')
        [ "$(wc -l <<<"$answers")" = ${#pid[@]} ] && [ "$(sort -u <<<"$answers" | wc -l)" = 1 ] && break
        sleep 0.1
    done
}

# What was acknowledged (lines of append --acknowledged) against what each node holds, and the nodes' logs
# against each other. Prints a table, and sets $wrong to the number of offences.
compare_nodes() {
    local node at missing doubled
    cut -d ' ' -f 1,2 "$1" | sort -u >"$home/wanted"
    wrong=0
    printf '%-6s %14s %8s %9s %9s   %s\n' node acknowledged found missing doubled 'SHA-256 of its log'
    for node in "${nodes[@]}"; do
        at=(--endpoint "127.0.0.1:${port[$node]}" --tls "$home/ca" --as auditor)
        zhurnalctl "${at[@]}" replay --ids | awk '$4 == "accepted" { print $1, $2 }' |
            sort >"$home/$node/found"
        zhurnalctl "${at[@]}" replay --kind all --raw "$home/$node/log.raw"
        missing=$(comm -23 "$home/wanted" <(sort -u "$home/$node/found") | wc -l)
        doubled=$(uniq -d "$home/$node/found" | wc -l)
        wrong=$((wrong + missing + doubled))
        printf '%-6s %14d %8d %9d %9d   %.16s…\n' "$node" "$(wc -l <"$home/wanted")" \
            "$(comm -12 "$home/wanted" "$home/$node/found" | wc -l)" "$missing" "$doubled" \
            "$(sha256sum <"$home/$node/log.raw")"
        cmp -s "$home/${nodes[0]}/log.raw" "$home/$node/log.raw" || wrong=$((wrong + 1))
    done
}

# Waits until every node that runs has applied what was acknowledged last.
await_applied() {
    local node last
    last=$(cut -d ' ' -f 3 "$1" | sort -n | tail -n 1)
    for node in "${!pid[@]}"; do
        zhurnalctl --endpoint "127.0.0.1:${port[$node]}" --tls "$home/ca" --as auditor --timeout 60 \
            page --school "$school_id" --page "$page" --min-index "$last" >"$home/$node/page"
    done
}
