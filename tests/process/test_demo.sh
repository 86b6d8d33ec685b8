#!/usr/bin/env bash
# The demo is what a newcomer sees first: it shows what it promises, and leaves nothing behind.
set -euo pipefail
output=$TMPDIR/demo.output
if ! "$(dirname "$0")/../demo/demo.sh" >"$output" 2>&1; then
    cat "$output"
    exit 1
fi
for words in 'kill -9 of the leader' 'starts again, and catches up' 'missing' 'Учитель:' 'Домашнее задание' \
    'Nobody led for' 'Every acknowledged entry is on each of the three nodes'; do
    grep -q -- "$words" "$output" || { printf 'the demo does not show: %s\n' "$words"; exit 1; }
done
if compgen -G "$TMPDIR/zhurnal-demo.*" >/dev/null; then
    printf 'the demo leaves its directory behind\n'
    exit 1
fi
echo "1 passed, 0 failed"
