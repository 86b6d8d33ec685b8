"""A node's own memory (RssAnon) does not grow with its log: a million entries, and some with hundreds
of marks that stand nowhere near each other, are rebuilt into views, replayed whole, followed, and
read by a reader that stands still."""
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from alone import Count, Node, append, log_pb2, REPLAY

ENTRIES = 1_000_000
CROWDED, MARKS = 2000, 250
GROWTH_MAX_KIB = 24 << 10
DENSE = 1000
WAIT_S = 180


def anonymous_kib(node):
    status = pathlib.Path(f"/proc/{node.process.pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("RssAnon")).split()[1])


def replay_all(node):
    """How many records came, and the most memory meanwhile."""
    command = ["zhurnalctl", "--endpoint", f"127.0.0.1:{node.port}", "--tls", node.data / "tls",
               "--as", "auditor", "replay", "--ids"]
    most = 0
    with tempfile.TemporaryFile() as out:
        with subprocess.Popen(command, stdout=out) as reader:
            for _ in range(WAIT_S * 10):
                most = max(most, anonymous_kib(node))
                if reader.poll() is not None:
                    break
                time.sleep(0.1)
            reader.kill()
        out.seek(0)
        return sum(1 for _ in out), most


def stand_still(node, **fields):
    """A reader that takes one record and no more; what the node holds then."""
    stream = node.channel("auditor").unary_stream(
        REPLAY, request_serializer=log_pb2.ReplayRequest.SerializeToString)
    call = stream(log_pb2.ReplayRequest(**fields))
    next(call)
    time.sleep(3)
    most = anonymous_kib(node)
    call.cancel()
    return most


def many_verdicts(count, data):
    """Small events make a piece of the log with a hundred thousand verdicts."""
    with Node(data) as node:
        frontend = node.channel("frontend")
        small = anonymous_kib(node)
        first = append(frontend, node.mark(5)).index
        for _ in range(DENSE):
            request = node.mark(5)
            for _ in range(998):
                request.draft.events.add().class_closed.SetInParent()
            append(frontend, request)
        most = stand_still(node, from_index=first)
        count.expect("a reader that stands still among many verdicts costs little",
                     most < small + GROWTH_MAX_KIB, small, most)
        indexes = [record.index for record in node.replay(from_index=first)]
        count.expect("and every record comes, once",
                     indexes == list(range(first, first + DENSE + 1)), len(indexes))


def main():
    count = Count()
    with tempfile.TemporaryDirectory() as here:
        many_verdicts(count, pathlib.Path(here) / "dense")
        data = pathlib.Path(here) / "node"
        with Node(data) as node:
            append(node.channel("frontend"), node.mark(5))
            small = replay_all(node)[1]
            school = node.school
            count.expect("it ends in order", node.stop() == 0)
        subprocess.run(["long_log", data / "log", str(school), str(ENTRIES)], check=True)
        subprocess.run(["long_log", data / "log", str(school), str(CROWDED), str(MARKS)], check=True)
        everything = ENTRIES + CROWDED
        with Node(data) as node:
            most = 0
            for _ in range(WAIT_S * 5):
                most = max(most, anonymous_kib(node))
                if node.status().groups[0].applied_index >= everything:
                    break
                time.sleep(0.2)
            count.expect("a million entries are applied anew",
                         node.status().groups[0].applied_index >= everything)
            count.expect("in bounded memory", most < small + GROWTH_MAX_KIB, small, most)
            records, most = replay_all(node)
            count.expect("and replayed whole", records >= everything, records)
            count.expect("in bounded memory", most < small + GROWTH_MAX_KIB, small, most)
            most = stand_still(node)
            count.expect("a reader that stands still costs little",
                         most < small + GROWTH_MAX_KIB, small, most)
            index = append(node.channel("frontend"), node.mark(4)).index
            count.expect("and writes go on", index > everything, index)
    return count.end()


sys.exit(main())
