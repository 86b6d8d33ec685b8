"""A full disk: writes are refused by a status and a sentence, what was acknowledged stays, and the
node goes on by itself when there is room. Needs a small tmpfs, so it runs as root or not at all."""
import collections
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from alone import Count, Node, append, refused

SKIPPED = 77
WRITES_MAX = 600
TOPIC = "x" * 200000
MARKS, LESSONS = 250, 1 << 19
SCATTERED = 0x9E3779B97F4A7C15
WAIT_S = 60


class Disk:
    """A tmpfs of so many MiB, which can be made larger or smaller."""

    def __init__(self, size):
        self.here = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.here.name)
        self.mounted = self.mount(f"size={size}m")

    def mount(self, options):
        return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", self.path],
                              capture_output=True, check=False).returncode == 0

    def fill(self):
        """To the last page."""
        with open(self.path / "filler", "wb", buffering=0) as file:
            for size in (1 << 20, 4096):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    pass

    def leave(self, spare):
        """So many MiB are free then."""
        used = int(subprocess.run(["du", "-sm", self.path], capture_output=True,
                                  check=True).stdout.split()[0])
        return self.mount(f"remount,size={used + spare}m")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.mounted:
            subprocess.run(["umount", self.path], check=False)
        self.here.cleanup()


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


def writes(count):
    """Clients fill it."""
    with Disk(150) as disk, Node(disk.path / "node") as node:
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
        enlarged = disk.mount("remount,size=400m")
        index = write_when_there_is_room(node, frontend)
        count.expect("with room it goes on by itself", enlarged and index > max(indexes), index)
        count.expect("and is full no more", not node.status().disk_full)
        count.expect("it ends in order", node.stop() == 0)


def applied(node, index):
    """True when the views stand there; the node may be full, but not gone, meanwhile."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end and node.process.poll() is None:
        if node.status().groups[0].applied_index >= index:
            return True
        time.sleep(0.1)
    return False


def scattered_marks(count):
    """A MiB of the log changes most pages of the views: more than room is kept for, were it one
    transaction."""
    with Disk(1024) as disk:
        data = disk.path / "node"
        crowded = LESSONS // MARKS
        with Node(data) as node:
            append(node.channel("frontend"), node.mark(5))
            school = node.school
            node.stop()
        long_log = ["long_log", data / "log", str(school)]
        subprocess.run(long_log + [str(crowded), str(MARKS), "1", str(LESSONS)], check=True)
        with Node(data) as node:
            count.expect("marks side by side are applied", applied(node, crowded))
            node.stop()
        subprocess.run(long_log + ["400", str(MARKS), str(SCATTERED), str(LESSONS)], check=True)
        disk.leave(70)
        with Node(data) as node:
            count.expect("marks all over them too, on a disk with little room",
                         applied(node, crowded + 400), node.process.poll())


def room_that_is_taken_away(count):
    """What was kept ahead of the views is gone, as where a filesystem keeps nothing: the disk fills
    in the middle of a commit."""
    with Disk(256) as disk, Node(disk.path / "node") as node:
        frontend = node.channel("frontend")
        last = append(frontend, node.mark(5)).index
        views = disk.path / "node" / "views" / "1" / "data.mdb"
        size = views.stat().st_size
        subprocess.run(["fallocate", "--punch-hole", "-o", str(size), "-l", str(64 << 20), views],
                       check=True)
        disk.fill()
        with open(disk.path / "filler", "r+b") as file:
            file.truncate(file.seek(0, 2) - 64 * 1024)
        request = node.mark(5, topic=TOPIC)
        answer = refused(append, frontend, request, 3)
        count.expect("what cannot be applied is not answered",
                     answer[0] == grpc.StatusCode.DEADLINE_EXCEEDED, *answer)
        answer = refused(append, frontend, node.mark(5))
        count.expect_refused("the next write is refused", grpc.StatusCode.RESOURCE_EXHAUSTED,
                             "disk space", answer)
        count.expect("status says so, and the node goes on", node.status().disk_full)
        (disk.path / "filler").unlink()
        index = write_when_there_is_room(node, frontend)
        first = append(frontend, request).index
        count.expect("with room it goes on by itself, with what was waiting first",
                     last < first < index, first, index)
        count.expect("it ends in order", node.stop() == 0)


def views_to_be_made(count):
    """There is nothing to read or write them in, so the node waits outside until there is."""
    with Disk(256) as disk:
        data = disk.path / "node"
        with Node(data) as node:
            last = append(node.channel("frontend"), node.mark(5)).index
            node.stop()
        shutil.rmtree(data / "views")
        disk.fill()
        ended = subprocess.run(["zhurnald", "--data", data, "--listen", "127.0.0.1:0"],
                               capture_output=True, text=True, timeout=WAIT_S, check=False)
        count.expect("a node without room for its views ends, to be started again",
                     ended.returncode == 3, ended.returncode, ended.stderr)
        count.expect("with a sentence", "free some disk space" in ended.stderr)
        (disk.path / "filler").unlink()
        with Node(data) as node:
            count.expect("with room it starts", append(node.channel("frontend"),
                                                       node.mark(5)).index > last)


def main():
    count = Count()
    with Disk(1) as disk:
        if not disk.mounted:
            print("needs the right to mount a tmpfs")
            return SKIPPED
    for case in (writes, scattered_marks, room_that_is_taken_away, views_to_be_made):
        case(count)
    return count.end()


sys.exit(main())
