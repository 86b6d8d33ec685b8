"""What is damaged is named, and not made worse: a node says where its log does not read and what to
do, ends by the exit code that nobody starts again, and drops no view that is whole."""
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from alone import Count, Node, append

PAGE = 4096
ENTRIES = 30000  # More than a node reads of its log when it starts.
DAMAGED = 5000
WAIT_S = 60
ADVICE = "stays stopped"


def start_and_end(data):
    """(exit code, what it said) of a node that ends by itself."""
    ended = subprocess.run(["zhurnald", "--data", str(data), "--listen", "127.0.0.1:0"],
                           capture_output=True, text=True, timeout=WAIT_S, check=False)
    return ended.returncode, ended.stderr


def damage(data, index):
    """Flips a bit in the record at index, wherever LMDB has a copy of it."""
    path = data / "log" / "data.mdb"
    content = bytearray(path.read_bytes())
    head = struct.pack(">Q", index) + bytes([1, 1, 0, 0])
    at = content.find(head)
    while at >= 0:
        content[at + 60] ^= 1
        at = content.find(head, at + 1)
    path.write_bytes(content)


def make_long(data):
    """A node's directory with a long log, in order, and no views yet of the most of it."""
    with Node(data) as node:
        append(node.channel("frontend"), node.mark(5))
        school = node.school
        node.stop()
    subprocess.run(["long_log", data / "log", str(school), str(ENTRIES)], check=True)


def in_the_middle(count, data):
    make_long(data)
    damage(data, DAMAGED)
    code, said = start_and_end(data)
    count.expect("a bad record in the middle ends the node, not to be started again", code == 1, code)
    count.expect("the index is named", f"does not verify at index {DAMAGED}." in said, said)
    count.expect("and what to do", ADVICE in said)
    count.expect("the views are not dropped", "views are dropped" not in said)
    code, said = start_and_end(data)
    count.expect("they stand before it", f"applied={DAMAGED - 1} " in said, said)
    count.expect("and the next start says the same",
                 code == 1 and f"does not verify at index {DAMAGED}." in said, code)


def at_the_end(count, data):
    make_long(data)
    damage(data, ENTRIES - 10)
    code, said = start_and_end(data)
    count.expect("a bad record among the newest keeps the node from starting", code == 1, code)
    count.expect("the index is named", f"does not verify at index {ENTRIES - 10}." in said, said)
    count.expect("and what to do", ADVICE in said)


def cut_short(count, data):
    make_long(data)
    path = data / "log" / "data.mdb"
    size = path.stat().st_size - 100 * PAGE
    with open(path, "r+b") as file:
        file.truncate(size)
    code, said = start_and_end(data)
    count.expect("a log that is cut short keeps the node from starting", code == 1, code)
    count.expect("it says so, and what to do", "cut short" in said and ADVICE in said, said)
    count.expect("and it is left as it was", path.stat().st_size == size)


def views_cut_short(count, data):
    make_long(data)
    with Node(data) as node:
        last = append(node.channel("frontend"), node.mark(5)).index
        node.stop()
    path = data / "views" / "1" / "data.mdb"
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size // PAGE // 2 * PAGE)
    with Node(data) as node:
        index = append(node.channel("frontend"), node.mark(5)).index
        count.expect("views that are cut short are made anew", index > last, index)


def restored_state(count, data):
    with Node(data) as node:
        append(node.channel("frontend"), node.mark(5))
        node.stop()
    shutil.copy(data / "state", data.parent / "yesterday")
    with Node(data) as node:
        append(node.channel("frontend"), node.mark(5))
        node.stop()
    shutil.copy(data.parent / "yesterday", data / "state")
    code, said = start_and_end(data)
    count.expect("a state from yesterday keeps the node from starting", code == 1, code)
    count.expect("it says so, and what to do", "copied or restored" in said and ADVICE in said, said)


def main():
    count = Count()
    with tempfile.TemporaryDirectory() as here:
        for case in (in_the_middle, at_the_end, cut_short, views_cut_short, restored_state):
            case(count, pathlib.Path(here) / case.__name__)
    return count.end()


sys.exit(main())
