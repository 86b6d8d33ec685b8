"""A full disk: writes are refused by a status and a sentence, what was acknowledged stays, and the
node goes on by itself when there is room. Needs a small tmpfs, so it runs as root or not at all."""
import collections
import pathlib
import subprocess
import sys
import tempfile
import time

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from alone import Count, Node, append, refused

SKIPPED = 77
SIZE_SMALL, SIZE_LARGE = "150m", "400m"
WRITES_MAX = 600
TOPIC = "x" * 200000


def mount(where, options):
    return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", where],
                          capture_output=True, check=False).returncode == 0


def write_until_full(node, frontend):
    """(acknowledged indexes, codes of the others)"""
    indexes, codes = [], collections.Counter()
    for _ in range(WRITES_MAX):
        try:
            indexes.append(append(frontend, node.mark(5, topic=TOPIC), 3).index)
        except grpc.RpcError as error:
            codes[error.code()] += 1
            if codes[grpc.StatusCode.RESOURCE_EXHAUSTED] == 3:
                break
    return indexes, codes


def write_when_there_is_room(node, frontend):
    for _ in range(100):
        try:
            return append(frontend, node.mark(5), 3).index
        except grpc.RpcError:
            time.sleep(0.1)
    return 0


def run(count, data):
    with Node(data / "node") as node:
        frontend = node.channel("frontend")
        indexes, codes = write_until_full(node, frontend)
        count.expect("writes are refused when the disk is full",
                     codes[grpc.StatusCode.RESOURCE_EXHAUSTED] == 3, len(indexes), codes)
        count.expect("after some were taken", len(indexes) > 10)
        answer = refused(append, frontend, node.mark(5, topic=TOPIC))
        count.expect_refused("with a sentence", grpc.StatusCode.RESOURCE_EXHAUSTED, "disk space",
                             answer)
        count.expect("status says so", node.status().disk_full)
        acknowledged = {record.index for record in node.replay(schools=[])}
        count.expect("reading goes on, and nothing is lost", acknowledged.issuperset(indexes))
        enlarged = mount(data, f"remount,size={SIZE_LARGE}")
        index = write_when_there_is_room(node, frontend)
        count.expect("with room it goes on by itself", enlarged and index > max(indexes), index)
        count.expect("and is full no more", not node.status().disk_full)
        count.expect("it ends in order", node.stop() == 0)


def main():
    count = Count()
    with tempfile.TemporaryDirectory() as temporary:
        if not mount(temporary, f"size={SIZE_SMALL}"):
            print("needs the right to mount a tmpfs")
            return SKIPPED
        try:
            run(count, pathlib.Path(temporary))
        finally:
            subprocess.run(["umount", temporary], check=False)
    return count.end()


sys.exit(main())
