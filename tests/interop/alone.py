"""A zhurnald by itself (from PATH), for clients that are not ours."""
import pathlib
import re
import signal
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
WAIT_S = 20


class Node:
    def __enter__(self):
        self.data = pathlib.Path(tempfile.mkdtemp(prefix="interop."))
        self.process = subprocess.Popen(
            ["zhurnald", "--data", str(self.data / "node"), "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        greeting = "".join(self.process.stdout.readline() for _ in range(3))
        self.address = re.search(r"127\.0\.0\.1:\d+", greeting)[0]
        self.school = int(re.search(r"of school (\d+)", greeting)[1])
        self.tls = self.data / "node" / "tls"
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(WAIT_S)
        finally:
            self.process.kill()
            self.process.stdout.close()
