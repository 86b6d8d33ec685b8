"""A disk that does not answer: the orderly stop ends all the same, as a crash, and nothing is lost.
The disk hangs where LMDB's lock for writing is held by somebody else, which looks alike from inside."""
import ctypes
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from alone import Count, Node, append

FATAL = 3
STOP_S = 25  # What a stop may take: deploy/zhurnald.service kills after 30 s.
ARRIVES_S = 2
LMDB = ctypes.CDLL("liblmdb.so.0")


class Hung:
    """No transaction can begin in the environment at path."""

    def __init__(self, path):
        self.env, self.txn = ctypes.c_void_p(), ctypes.c_void_p()
        failed = (LMDB.mdb_env_create(ctypes.byref(self.env))
                  or LMDB.mdb_env_open(self.env, str(path).encode(), 0, 0o600)
                  or LMDB.mdb_txn_begin(self.env, None, 0, ctypes.byref(self.txn)))
        if failed:
            raise OSError(f"mdb: {failed}")

    def release(self):
        LMDB.mdb_txn_abort(self.txn)
        LMDB.mdb_env_close(self.env)


def append_in_vain(node):
    """It is not answered while the disk hangs, and is not to be waited for."""
    def run():
        try:
            append(node.channel("frontend"), node.mark(5), STOP_S)
        except grpc.RpcError:
            pass
    threading.Thread(target=run, daemon=True).start()


def exit_code(node):
    try:
        return node.process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        return "none"


def run(count, data):
    parts = {"log": "log", "views": "views/1"}
    nodes = {part: Node(data / part) for part in parts}
    indexes = {part: append(node.channel("frontend"), node.mark(5)).index
               for part, node in nodes.items()}
    hung = {part: Hung(nodes[part].data / path) for part, path in parts.items()}
    for node in nodes.values():
        append_in_vain(node)
    time.sleep(ARRIVES_S)
    for node in nodes.values():
        node.process.send_signal(signal.SIGTERM)
    for part, node in nodes.items():
        code = exit_code(node)
        count.expect(f"{part}: a stop ends though the disk hangs", code == FATAL, code)
        said = pathlib.Path(f"{node.data}.log").read_text(encoding="utf-8")
        count.expect("and says why", "a disk did not answer in time" in said)
        node.__exit__()
        hung[part].release()
        with Node(node.data) as again:
            kept = {record.index for record in again.replay()}
            count.expect("what was acknowledged is there", indexes[part] in kept)
            count.expect("and it ends in order", again.stop() == 0)


def main():
    count = Count()
    with tempfile.TemporaryDirectory() as temporary:
        run(count, pathlib.Path(temporary))
    return count.end()


sys.exit(main())
