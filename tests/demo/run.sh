#!/usr/bin/env bash
# The demo's three nodes in the foreground, until Ctrl-C. A second run keeps their data, in ZHURNAL_RUN or
# build/run.
set -euo pipefail
home=${ZHURNAL_RUN:-$(cd "$(dirname "$0")/../.." && pwd)/build/run}
. "$(dirname "$0")/cluster.sh"
trap stop_cluster EXIT
trap 'exit 0' INT TERM HUP

seed=7
school=(--seed "$seed" --date "$(date +%Y%m%d)" --grades 1-11 --parallels 2 --fill 24)
read -r school_id page _ class subject < <(school_day --part show "${school[@]}")
if [ ! -e "$home/founding.ini" ]; then
    rm -rf "$home"
    mkdir -p "$home"
    found_cluster >"$home/founding.output"
    zhurnalctl cert issue --tls "$home/ca" --frontend portal --school "$school_id" >>"$home/founding.output"
fi
know_cluster
for node in "${nodes[@]}"; do start_node "$node"; done
ctl status --wait-leader 30 >/dev/null || die "see $home/*/output"
await_alike
ctl status --wait-leader 30

cat <<EOF

Three nodes run until Ctrl-C; their data stays in $home. In another terminal:

  export PATH=$(dirname "$(command -v zhurnalctl)"):\$PATH
  export ZHURNAL_ENDPOINTS=$endpoints ZHURNAL_TLS=$home/ca
  zhurnalctl status
  school_day --part founding ${school[*]} | zhurnalctl --as founder append --delimited
  school_day --part setup ${school[*]} | zhurnalctl --as frontend append --delimited
  school_day --part day ${school[*]} | zhurnalctl --as frontend append --delimited --progress
  zhurnalctl --as auditor page --school $school_id --page $page      # $class, $subject
  zhurnalctl --as auditor replay --follow
  kill -9 ${pid[a1]}      # node a1; its output is in $home/a1/output
  zhurnald --config $home/a1/zhurnald.conf      # and again

EOF
wait
