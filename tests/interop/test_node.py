"""Node's stock gRPC against a zhurnald by itself: client.js does the talking."""
import pathlib
import subprocess
import sys

from alone import ROOT, Node

with Node() as alone:
    client = pathlib.Path(__file__).with_name("client.js")
    command = ["node", client, alone.address, alone.tls, str(alone.school), ROOT / "proto"]
    result = subprocess.run(command, timeout=120)
sys.exit(result.returncode)
