"""zhurnald --data DIR: a cluster of one, which keeps what it acknowledged."""
import os
import pathlib
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from alone import PAGE, WAIT_S, Count, Node, append, call, refused
from alone import entry_pb2, journal_pb2

STEPS = 12


def start_refused(*arguments):
    """(exit code, what it said) of a zhurnald that must not start."""
    run = subprocess.run(["zhurnald", *map(str, arguments)], capture_output=True, text=True,
                         timeout=WAIT_S)
    return run.returncode, run.stderr


def first_start(count, node):
    count.expect("the greeting says how to call it",
                 f"zhurnalctl --endpoint 127.0.0.1:{node.port} " in node.greeting)
    keys = list((node.data / "tls").glob("*.key"))
    count.expect("six keys, for their owner alone", len(keys) == 6 and all(
        stat.S_IMODE(key.stat().st_mode) == 0o600 for key in keys))
    group = node.status().groups[0]
    count.expect("it leads at once", group.leader == node.status().node)


def health(count, node):
    """grpc.health.v1: the request is empty, the answer's field 1 is 1, SERVING."""
    check = "/grpc.health.v1.Health/Check"
    count.expect("it is healthy", call(node.channel("operator"), check, b"") == b"\x08\x01")
    service = bytes([0x0A, len("zhurnal.v1.JournalService")]) + b"zhurnal.v1.JournalService"
    count.expect("and so is its journal",
                 call(node.channel("operator"), check, service) == b"\x08\x01")


def write_and_read(count, node, frontend):
    first = append(frontend, node.mark(5))
    records = list(node.replay())
    count.expect("an append is answered and replayed", records[-1].index == first.index)
    entry = entry_pb2.Entry.FromString(records[-1].entry)
    count.expect("as its bytes came", entry.recorded_at_ms == first.recorded_at_ms
                 and entry.principal.name == "frontend")
    hidden = list(node.replay("operator"))
    count.expect("an operator sees that it is there, not what it says",
                 hidden[-1].index == first.index and hidden[-1].entry == b""
                 and hidden[-1].verdict.outcome == entry_pb2.OUTCOME_ACCEPTED)
    ours = list(node.replay("frontend", schools=[node.school],
                            actor=entry_pb2.Actor(person=7)))
    count.expect("a front end sees its school", [r.index for r in ours] == [first.index])
    kinds = {r.kind for r in node.replay(kinds=[1, 2, 3])}
    count.expect("kinds are chosen", 3 in kinds and 1 in kinds)
    limited = list(node.replay(limit=1, follow=True))
    count.expect("a limit ends a replay that follows", len(limited) == 1)


def operators_see_no_persons(count, node, frontend):
    """What a front end that leaves out the school sends is refused, and on the record."""
    request = node.mark(5)
    request.draft.school = 0
    request.personal.add(subject=9, basis=entry_pb2.BASIS_SERVICE, text="Абдулаев")
    count.expect_refused("a front end's entry without a school", grpc.StatusCode.PERMISSION_DENIED,
                         "name a school", refused(append, frontend, request))
    count.expect("is on the record", list(node.replay())[-1].entry != b"")
    records = list(node.replay("operator", kinds=[1, 2, 3]))
    count.expect("and is not an operator's to read",
                 records[-1].verdict.school == 0 and records[-1].entry == b"")
    request = journal_pb2.AppendRequest()
    request.draft.entry_id = uuid.uuid4().bytes
    request.draft.events.add().person_registered.person = 9
    request.draft.events[0].person_registered.surname_part = 1
    request.personal.add(subject=9, basis=entry_pb2.BASIS_SERVICE, text="Абдулаев")
    index = append(node.channel("founder"), request).index
    record = list(node.replay("operator", from_index=index))[0]
    count.expect("nor is what the founder records of a person",
                 record.verdict.outcome == entry_pb2.OUTCOME_ACCEPTED and record.entry == b"")
    shown = [r.kind for r in records if r.entry]
    count.expect("who sees what was accepted for the cluster", 1 in shown and 3 in shown, shown)


def follow(count, node, frontend):
    stream = node.replay(from_index=node.last_index() + 1, follow=True)
    written = []
    writer = threading.Thread(
        target=lambda: written.extend(append(frontend, node.mark(5)).index for _ in range(20)))
    writer.start()
    seen = [next(stream).index for _ in range(20)]
    writer.join()
    stream.cancel()
    count.expect("who follows sees each entry, in order, once", seen == written, seen)


def read_own_write(count, node, frontend):
    actor = entry_pb2.Actor(person=7)
    index = node.last_index()
    request = journal_pb2.GetPageRequest(
        actor=actor, school=node.school, page=1, min_index=index + 1)
    answers = []
    reader = threading.Thread(
        target=lambda: answers.append(refused(call, frontend, PAGE, request)))
    reader.start()
    reader.join(0.3)
    count.expect("a page waits for min_index", reader.is_alive())
    append(frontend, node.mark(5))
    reader.join(WAIT_S)
    count.expect("and is read then", answers[0][0] == grpc.StatusCode.NOT_FOUND, answers)


def refusals(count, node, here):
    code, said = start_refused("--data", node.data)
    count.expect("a second process is refused, and the first named",
                 code == 1 and f"process {node.process.pid}" in said, said)
    config = here / "zhurnald.conf"
    config.write_text(f"[node]\ndata = {here / 'empty'}\n", encoding="utf-8")
    code, said = start_refused("--config", config)
    count.expect("an empty directory with a configuration is refused",
                 code == 1 and "zhurnalctl init --data" in said, said)
    count.expect("and nothing is made there", not (here / "empty").exists())
    certified = here / "certified"
    (certified / "tls").mkdir(parents=True)
    (certified / "tls" / "node.pem").touch()
    code, said = start_refused("--data", certified)
    count.expect("so is one with a certificate",
                 code == 1 and "zhurnalctl init --data" in said, said)
    foreign = here / "foreign"
    foreign.mkdir()
    (foreign / "notes.txt").touch()
    code, said = start_refused("--data", foreign)
    count.expect("in a directory that is not empty, what stands in the way is named",
                 code == 1 and "not empty: notes.txt" in said, said)
    wide = here / "wide"
    wide.mkdir()
    code, said = start_refused("--data", wide, "--listen", "0.0.0.0:0")
    count.expect("nobody founds by himself beyond loopback", code == 1 and "loopback" in said, said)
    left = [path.name for place in (certified, foreign, wide) for path in place.iterdir()]
    count.expect("who is refused leaves nothing behind", left == ["tls", "notes.txt"], left)


def greets(data):
    """Whether a zhurnald starts there. It is killed then."""
    with subprocess.Popen(["zhurnald", "--data", data, "--listen", "127.0.0.1:0"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        line = process.stdout.readline()
        process.kill()
    return "zhurnald runs by itself" in line


def cut_short(count, here):
    """First starts that are killed at growing delays, from nothing made to all made."""
    began = time.monotonic()
    greets(here / "whole")
    whole_s = time.monotonic() - began
    stuck = []
    for step in range(STEPS):
        data = here / f"cut{step}"
        with subprocess.Popen(["zhurnald", "--data", data, "--listen", "127.0.0.1:0"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(whole_s * step / STEPS)
            process.kill()
        if not greets(data):
            stuck.append(step)
    count.expect("a first start that was killed is made good by the next", stuck == [], stuck)


def beyond_loopback(count, data):
    code, said = start_refused("--data", data, "--listen", "0.0.0.0:0")
    count.expect("who founded by himself never listens beyond loopback",
                 code == 1 and "loopback" in said, said)


def reload(count, node):
    node.process.send_signal(signal.SIGHUP)
    for _ in range(100):
        said = pathlib.Path(node.errors.name).read_text(encoding="utf-8")
        if "certificates are read anew" in said:
            break
        time.sleep(0.05)
    count.expect("SIGHUP reads the certificates anew", "certificates are read anew" in said)
    count.expect("and connections come as before", node.last_index() > 0)


def stop_under_a_follower(count, node):
    stream = node.replay(from_index=node.last_index() + 1, follow=True)
    answers = []
    reader = threading.Thread(target=lambda: answers.append(refused(list, stream)))
    reader.start()
    reader.join(0.3)
    count.expect("SIGTERM ends it in order", node.stop() == 0)
    reader.join(WAIT_S)
    count.expect("who follows is told", "another" in answers[0][1], answers)


def main():
    count = Count()
    with tempfile.TemporaryDirectory() as temporary:
        here = pathlib.Path(temporary)
        with Node(here / "node") as node:
            frontend = node.channel("frontend")
            first_start(count, node)
            health(count, node)
            write_and_read(count, node, frontend)
            operators_see_no_persons(count, node, frontend)
            follow(count, node, frontend)
            read_own_write(count, node, frontend)
            refusals(count, node, here)
            kept = node.mark(5)
            first = append(frontend, kept)
            node.kill()
        with Node(here / "node") as node:
            again = append(node.channel("frontend"), kept)
            count.expect("after kill -9 the same bytes have the same answer",
                         again.SerializeToString() == first.SerializeToString())
            records = [r.index for r in node.replay()]
            count.expect("and everything is there, once",
                         records == sorted(set(records)) and first.index in records)
            reload(count, node)
            stop_under_a_follower(count, node)
        beyond_loopback(count, here / "node")
        cut_short(count, here)
        count.expect("a clean end leaves its lock to the next",
                     os.path.exists(here / "node" / "lock"))
    return count.end()


sys.exit(main())
