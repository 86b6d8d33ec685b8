"""`make run`, as Ctrl-C at a terminal ends it: each node stops in order, and the next run goes on with its data."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "demo" / "run.sh"
WAIT_S = 60
failed = 0


def check(name, passed):
    global failed
    failed += not passed
    print("ok  " if passed else "FAIL", name)


def run(home):
    """Until the nodes are up, then Ctrl-C, which goes to everything in the terminal's foreground group."""
    process = subprocess.Popen(["bash", SCRIPT], env={**os.environ, "ZHURNAL_RUN": str(home)}, text=True,
                               stdout=subprocess.PIPE, start_new_session=True)
    for line in process.stdout:
        if "kill -9" in line:
            break
    os.killpg(process.pid, signal.SIGINT)
    process.stdout.read()
    return process.wait(WAIT_S)


def journals(home):
    """Which files hold the nodes' logs and promises."""
    return [os.stat(home / node / "data" / name).st_ino
            for node in ("a1", "a2", "a3") for name in ("log/data.mdb", "state")]


with tempfile.TemporaryDirectory() as temporary:
    home = pathlib.Path(temporary) / "run"
    kept = []
    for time in ("first", "second"):
        code = run(home)
        outputs = [(home / node / "output").read_text() for node in ("a1", "a2", "a3")]
        check(f"the {time} run ends with 0", code == 0)
        check("each node has stopped in order", all(o.endswith("the node has stopped\n") for o in outputs))
        check("no node was told twice", not any("at once" in o for o in outputs))
        kept.append(journals(home))
    # How much of it a node knows to be committed is written down later, and may differ.
    starts = [re.findall(r"the node starts: .* committed=(\d+)", output) for output in outputs]
    check("the second run has the first one's data",
          kept[0] == kept[1] and all(len(s) == 2 and int(s[1]) >= int(s[0]) for s in starts))

print(f"{7 - failed} passed, {failed} failed")
sys.exit(failed != 0)
