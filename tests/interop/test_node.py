"""Node's stock gRPC against a zhurnald by itself: client.js does the talking."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from alone import ROOT, Node

if shutil.which("node") is None:
    sys.exit("there is no node: deploy/deps node")
if subprocess.run(["node", "-e", "require('@grpc/grpc-js')"], stderr=subprocess.DEVNULL).returncode != 0:
    sys.exit("npm has not brought @grpc/grpc-js: make build/npm/installed says why")

with tempfile.TemporaryDirectory() as here, Node(pathlib.Path(here) / "node") as alone:
    client = pathlib.Path(__file__).with_name("client.js")
    command = ["node", client, f"127.0.0.1:{alone.port}", alone.data / "tls", str(alone.school), ROOT / "proto"]
    result = subprocess.run(command, timeout=120)
sys.exit(result.returncode)
