#!/usr/bin/env bash
# What zhurnalctl does without a node: help, the authority, certificates, founding. zhurnalctl is found
# in PATH.
set -uo pipefail

manual=$(cd "$(dirname "$0")/../../docs" && pwd)/zhurnalctl.1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
unset ZHURNAL_ENDPOINTS ZHURNAL_TLS ZHURNAL_AS
passed=0 failed=0

count() {
    if [ "$1" = 0 ]; then
        passed=$((passed + 1)) && echo "ok   $2"
    else
        failed=$((failed + 1)) && echo "FAIL $2" && cat out
    fi
}

# expect CODE NAME COMMAND...: the command ends with this code; what it says is kept in ./out.
expect() {
    local wanted=$1 name=$2
    shift 2
    "$@" >out 2>&1
    [ $? = "$wanted" ]
    count $? "$name"
}

# refused CODE NAME PATTERN COMMAND...: so, in one sentence that matches the pattern.
refused() {
    local wanted=$1 name=$2 pattern=$3
    shift 3
    expect "$wanted" "$name" zhurnalctl "$@"
    [ "$(wc -l <out)" = 1 ] && grep -qE -- "$pattern" out
    count $? "  and says in one sentence: $pattern"
}

# holds NAME TEST...: what test(1) says.
holds() {
    test "${@:2}"
    count $? "$1"
}

modes() { stat -c '%a' "$@" | sort -u; }

# ---- help ----

expect 0 "--help" zhurnalctl --help
for command in cert init status append page replay; do
    grep -q "^  $command " out
    count $? "  and names $command"
done
grep -q '^Exit: 0 done; 1 refused or failed; 2 wrong use; 3 no node answers' out
count $? "  and the exit codes"
for command in cert init status append page replay; do
    expect 0 "$command --help" zhurnalctl "$command" --help
    grep -q "^zhurnalctl $command" out
    count $? "  and says how it is used"
done
expect 0 "--version" zhurnalctl --version
{
    zhurnalctl --help
    for command in cert init status append page replay; do zhurnalctl "$command" --help; done
} >help
expect 1 "no line of help is wider than 80 columns" grep -E '^.{81}' help
grep -v 'zhurnald --config' help | grep -oE -- '--[a-z][a-z-]+' | sort -u >helped
grep -oE 'Fl -[a-z][a-z-]+' "$manual" | sed 's/^Fl -/--/' | sort -u >explained
expect 0 "the manual explains the options that the help names, and no others" diff helped explained
grep -qF "$(zhurnalctl --help | sed -n '/^Exit: /,$p' | tr -s '\n ' ' ' | sed 's/^Exit: //; s/ $//')" "$manual"
count $? "  and the exit codes, in the same words"
expect 2 "no command is wrong use" zhurnalctl
refused 2 "an unknown command" "no command 'frobnicate': see zhurnalctl --help" frobnicate
expect 2 "an unknown option" zhurnalctl status --frobnicate
holds "  and says whose" "$(<out)" = "zhurnalctl: unrecognized option '--frobnicate'
zhurnalctl: see 'zhurnalctl status --help'"
expect 2 "before the command too" "$(command -v zhurnalctl)" --frobnicate
holds "  and says whose" "$(<out)" = "zhurnalctl: unrecognized option '--frobnicate'
zhurnalctl: see 'zhurnalctl --help'"
refused 2 "an argument too many" "'surplus' is not expected here: see 'zhurnalctl cert --help'" \
    cert init --tls ca surplus
holds "  and nothing was made" ! -e ca
refused 2 "no endpoint" 'give --endpoint HOST:PORT' status
refused 2 "no certificate" 'give --ca, --cert and --key, or --tls DIR' --endpoint 127.0.0.1:1 status

# ---- the authority, and certificates ----

refused 2 "no directory" 'give --tls DIR' cert init
expect 0 "cert init" zhurnalctl cert init --tls ca
holds "the directory is its owner's" "$(modes ca)" = 700
holds "its files are their owner's" "$(modes ca/*)" = 600
cp -r ca before
refused 1 "an authority is not made twice" 'not overwritten' cert init --tls ca
expect 0 "  and stays as it was" diff -r ca before

expect 0 "a node's certificate" zhurnalctl cert issue --tls ca --node a1 --address 127.0.0.1 \
    --address node.example --out ca
expect 0 "a front end's" zhurnalctl cert issue --tls ca --frontend portal --school 77 --school 078
expect 0 "an operator's" zhurnalctl cert issue --tls ca --operator duty
expect 0 "an auditor's" zhurnalctl cert issue --tls ca --auditor ministry --days 30
expect 0 "a founder's" zhurnalctl cert issue --tls ca --founder district --name other
holds "they are their owner's" "$(modes ca/*)" = 600
holds "each has its name" \
    "$(echo ca/*.pem)" = "ca/auditor.pem ca/ca.pem ca/frontend.pem ca/node.pem ca/operator.pem ca/other.pem"
expect 0 "into a directory that is not there yet" zhurnalctl cert issue --tls ca --operator x --out new
holds "  which is its owner's" "$(modes new)" = 700

expect 0 "  beside the authority's own, so that --tls DIR finds all" cmp ca/ca.pem new/ca.pem
holds "  but not its key" ! -e new/ca.key
expect 0 "another beside them" zhurnalctl cert issue --tls ca --auditor x --out new
zhurnalctl cert init --tls theirs >out
refused 1 "not beside another authority" 'theirs/ca.pem is another authority.s: give another --out' \
    cert issue --tls ca --operator x --out theirs
holds "  and nothing was written" "$(echo theirs/*)" = 'theirs/ca.key theirs/ca.pem'

rm -rf before && cp -r ca before
refused 1 "a certificate is not overwritten" \
    'operator.pem is there already and is not overwritten: to renew it give --out or --name, then move' \
    cert issue --tls ca --operator duty
refused 2 "a front end of no school" 'give --school ID for each' cert issue --tls ca --frontend portal
refused 1 "a school for an operator" 'front end' cert issue --tls ca --operator x --school 7 --name x
refused 2 "a node without an address" 'give --address HOST' cert issue --tls ca --node a2 --name x
refused 1 "a name that cannot be" 'name' cert issue --tls ca --operator 'a b' --name x
refused 2 "a certificate for nobody" 'give --node, --frontend' cert issue --tls ca
refused 2 "for two at once" 'names one' cert issue --tls ca --operator x --auditor y
refused 2 "a node's id that is none" '1 to 16 hexadecimal' cert issue --tls ca --node xyz
refused 2 "a school that is none" 'school is a number' cert issue --tls ca --frontend f --school 0
refused 2 "days that are none" 'days is a number' cert issue --tls ca --operator x --days 99999
refused 2 "neither init nor issue" 'cert init or cert issue' cert --tls ca
refused 1 "no authority" 'nowhere/ca.*cert init' cert issue --tls nowhere --operator x
expect 0 "  and nothing was written" diff -r ca before

refused 1 "a certificate that is not there" 'ca/nobody.pem.*--as NAME' \
    --endpoint 127.0.0.1:1 --tls ca --as nobody status

# ---- founding ----

members=(--found a1=127.0.0.1:7401 --found "a2=[::1]:7402" --found a3=node.example:7403)
expect 0 "the founding file" zhurnalctl init --tls ca "${members[@]}" -o founding.ini
zhurnalctl init --tls ca --found a3=node.example:7403 --found 0A1=127.0.0.1:7401 \
    --found "a2=[::1]:7402" -o other.ini >out 2>&1
expect 0 "  is the same in whatever order" cmp founding.ini other.ini
refused 1 "  and is not overwritten" 'founding.ini' init --tls ca "${members[@]}" -o founding.ini
expect 0 "two members" zhurnalctl init --tls ca "${members[@]:0:4}" -o two.ini
grep -q 'survives the loss of neither' out
count $? "  and says what they are worth"
refused 2 "a member without an address" 'ID=HOST:PORT' init --tls ca --found a1 -o x.ini
refused 2 "a member without a port" 'HOST:PORT' init --tls ca --found a1=host -o x.ini
refused 2 "a member twice" 'named twice' init --tls ca --found a1=h:1 --found a1=h:2 -o x.ini
refused 2 "no file" '-o FILE' init --tls ca "${members[@]}"
refused 2 "no members" '--found' init --tls ca -o x.ini
refused 1 "no authority" 'nowhere/ca.*cert init' init --tls nowhere "${members[@]}" -o x.ini
holds "  and nothing was written" ! -e x.ini

for node in a1 a2 a3; do
    expect 0 "the directory of $node" zhurnalctl init --data "$node" --founding founding.ini --node "$node"
done
holds "is its owner's" "$(modes a1 a1/log a2 a3)" = 700
holds "so are its files" "$(modes a1/state a1/log/* a2/state)" = 600
expect 0 "index 1 is equal on every founder" cmp a1/log/data.mdb a2/log/data.mdb
expect 0 "  and on every other one" cmp a1/log/data.mdb a3/log/data.mdb
cmp -s a1/state a2/state
holds "  and who they are is not" $? = 1
cp -r a1 before.a1
refused 1 "a directory is not founded twice" 'a1 is the data of node 0+a1 of cluster [0-9a-f]{32}.*zhurnald' \
    init --data a1 --founding founding.ini --node a1
expect 0 "  and stays as it was" diff -r a1 before.a1
rm a1/state before.a1/state
refused 1 "a log that lost its state is not founded anew" 'no state.*never founded anew' \
    init --data a1 --founding founding.ini --node a1
expect 0 "  and stays as it was" diff -r a1 before.a1
mkdir foreign && touch foreign/notes.txt foreign/zoo
refused 1 "a directory with something else in it" 'foreign is not empty: notes.txt' \
    init --data foreign --founding founding.ini --node a1
holds "  is left as it was" "$(ls foreign)" = "$(printf 'notes.txt\nzoo')"
mkdir -p certified/tls && touch certified/tls/node.pem
expect 0 "its certificates may be there" zhurnalctl init --data certified --founding founding.ini --node a1
refused 1 "who is no founder" 'not among the founding members' \
    init --data b1 --founding founding.ini --node b1
holds "  has no directory made" ! -e b1
refused 1 "no founding file" 'nowhere.ini' init --data b1 --founding nowhere.ini --node a1
refused 2 "no node" '--node ID' init --data b1 --founding founding.ini
sed '/epoch/d' founding.ini >cut.ini
refused 1 "half a founding file" 'epoch' init --data b1 --founding cut.ini --node a1
mkdir held
exec 9>held/lock
flock -n 9
refused 1 "a directory that somebody holds" 'another process uses held' \
    init --data held --founding founding.ini --node a1
holds "  is left as it was" "$(ls held)" = lock
echo 4711 >held/lock
refused 1 "  and who holds it is named" 'process 4711 uses held' \
    init --data held --founding founding.ini --node a1

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
