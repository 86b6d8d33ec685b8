"""Three nodes, founded by zhurnalctl: every node takes every call, the largest entry too, and a node
that lost its directory does not come back as its old self."""
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from alone import WAIT_S, Count, Node, append, refused
from alone import cluster_pb2, entry_pb2

IDS = ("a1", "a2", "a3")
SCHOOL = 77


def ctl(*arguments):
    subprocess.run(["zhurnalctl", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL,
                   timeout=WAIT_S)


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Member(Node):
    """One of three; its authority's directory holds the clients' certificates."""

    def __init__(self, here, number, port):
        self.data, self.id, self.port = here / IDS[number], IDS[number], port
        self.school, self.tls = SCHOOL, here / "tls"
        self.config = here / f"{self.id}.conf"
        self.errors = open(f"{self.data}.log", "a+", encoding="utf-8")
        self.process = None

    def found(self, here):
        ctl("init", "--data", self.data, "--founding", here / "founding", "--node", self.id)
        tls = self.data / "tls"
        tls.mkdir(mode=0o700)
        ctl("cert", "issue", "--tls", self.tls, "--node", self.id, "--address", "127.0.0.1",
            "--address", "localhost", "--out", tls)
        shutil.copy(self.tls / "ca.pem", tls)
        self.config.write_text(f"[node]\ndata = {self.data}\nlisten = 127.0.0.1:{self.port}\n",
                               encoding="utf-8")

    def start(self):
        self.process = subprocess.Popen(["zhurnald", "--config", self.config],
                                        stdout=subprocess.DEVNULL, stderr=self.errors)

    def __exit__(self, *_):
        if self.process is not None:
            self.kill()
        self.errors.close()

    def channel(self, who, tls=None):
        return super().channel(who, tls or self.tls)

    def group(self):
        return self.status().groups[0]

    def said(self, words):
        self.errors.flush()
        return words in pathlib.Path(self.errors.name).read_text(encoding="utf-8")


def found(here):
    ports = free_ports(len(IDS))
    ctl("cert", "init", "--tls", here / "tls")
    ctl("cert", "issue", "--tls", here / "tls", "--operator", "o", "--out", here / "tls")
    ctl("cert", "issue", "--tls", here / "tls", "--auditor", "a", "--out", here / "tls")
    ctl("cert", "issue", "--tls", here / "tls", "--frontend", "f", "--school", SCHOOL,
        "--out", here / "tls")
    members = [f"--found={id}=127.0.0.1:{port}" for id, port in zip(IDS, ports)]
    ctl("init", "--tls", here / "tls", *members, "-o", here / "founding")
    nodes = [Member(here, number, port) for number, port in enumerate(ports)]
    for node in nodes:
        node.found(here)
        node.start()
    return nodes


def wait_for(condition):
    """True once it holds; calls that fail meanwhile do not count."""
    for _ in range(20 * WAIT_S):
        try:
            if condition():
                return True
        except grpc.RpcError:
            pass
        time.sleep(0.05)
    return False


def agree(nodes):
    groups = [node.group() for node in nodes]
    return len({(g.last_index, g.applied_index, g.digest) for g in groups}) == 1


def leader_of(nodes):
    leaders = (node for node in nodes if node.group().role == cluster_pb2.NODE_ROLE_LEADER)
    return next(leaders, None)


def largest(node):
    """A little below 2 MiB: half of it draft, half of it personal text in many parts."""
    request = node.mark(5, topic="x" * 900_000)
    for number in range(3000):
        part = request.personal.add(subject=9, basis=entry_pb2.BASIS_LAW, text="y" * 370)
        if number < 900:
            comment = request.draft.events.add(day=20261123).comment_added
            comment.pupil, comment.lesson, comment.text_part = part.subject, 4, number + 1
    room = (2 << 20) - request.ByteSize()
    request.personal[0].text += "y" * (room - 2)
    return request


def every_node_takes_writes(count, nodes):
    indexes = [append(node.channel("frontend"), node.mark(5)).index for node in nodes]
    count.expect("every node takes a write", indexes == sorted(set(indexes)), indexes)
    sizes = []
    for node in nodes:
        request = largest(node)
        sizes.append(request.ByteSize())
        append(node.channel("frontend"), request)
    count.expect("the largest entry too", min(sizes) > (2 << 20) - 1024, sizes)
    count.expect("and all come to the same", wait_for(lambda: agree(nodes)))


def refusals_come_through(count, nodes):
    follower = next(n for n in nodes if n.group().role == cluster_pb2.NODE_ROLE_FOLLOWER)
    stranger = follower.mark(5)
    stranger.draft.school = SCHOOL + 1
    try:
        append(follower.channel("frontend"), stranger)
        answer = None
    except grpc.RpcError as error:
        answer = error
    details = dict(answer.trailing_metadata()) if answer else {}
    count.expect("a follower gives the leader's refusal, verdict and all",
                 answer is not None and answer.code() == grpc.StatusCode.PERMISSION_DENIED
                 and b"zhurnal.v1.Verdict" in details.get("grpc-status-details-bin", b""), details)


def leader_falls_silent(count, nodes):
    """Its host still takes what is sent to it."""
    leader = leader_of(nodes)
    others = [node for node in nodes if node is not leader]
    request = leader.mark(5)
    leader.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    answer = refused(append, others[0].channel("frontend"), request)
    took = time.monotonic() - began
    count.expect_refused("a write is not waited for", grpc.StatusCode.UNAVAILABLE,
                         "outcome unknown, send again with the same id", answer)
    count.expect("for longer than it takes to see that", took < WAIT_S / 2, f"{took:.1f} s")
    count.expect("another leads meanwhile",
                 wait_for(lambda: append(others[0].channel("frontend"), request)))
    first = append(others[1].channel("frontend"), request)
    leader.process.send_signal(signal.SIGCONT)
    count.expect("and who is back follows it", wait_for(lambda: agree(nodes)))
    count.expect("with the write in one place",
                 append(leader.channel("frontend"), request) == first, first.index)


def leader_is_killed(count, nodes):
    leader = leader_of(nodes)
    others = [node for node in nodes if node is not leader]
    kept = leader.mark(5)
    first = append(leader.channel("frontend"), kept)
    leader.kill()
    count.expect("another leads",
                 wait_for(lambda: leader_of(others) and others[0].group().leader != 0))
    again = append(others[0].channel("frontend"), kept)
    count.expect("and gives the same answer to the same bytes", again == first)
    for _ in range(50):
        append(others[1].channel("frontend"), others[1].mark(5))
    leader.start()
    count.expect("who was killed catches up", wait_for(lambda: agree(nodes)))


def wiped_node_stays_out(count, here, nodes):
    wiped, other = nodes[0], nodes[1]
    count.expect("a node ends in order", wiped.stop() == 0)
    shutil.rmtree(wiped.data)
    wiped.found(here)
    wiped.start()
    words = "the log knows node 00000000000000a1 by another data directory"
    count.expect("a wiped node is refused by the others", wait_for(lambda: other.said(words)))
    count.expect("and told so", wait_for(lambda: wiped.said(words)))
    index = append(other.channel("frontend"), other.mark(5)).index
    count.expect("the others go on without it", wait_for(lambda: agree(nodes[1:])), index)


def main():
    count = Count()
    with tempfile.TemporaryDirectory() as temporary:
        here = pathlib.Path(temporary)
        nodes = found(here)
        with nodes[0], nodes[1], nodes[2]:
            count.expect("three nodes choose a leader", wait_for(lambda: leader_of(nodes)))
            count.expect("and record their directories",
                         wait_for(lambda: min(n.group().applied_index for n in nodes) >= 4))
            every_node_takes_writes(count, nodes)
            refusals_come_through(count, nodes)
            leader_falls_silent(count, nodes)
            leader_is_killed(count, nodes)
            wiped_node_stays_out(count, here, nodes)
            count.expect("all end in order", [node.stop() for node in nodes] == [0, 0, 0])
    return count.end()


sys.exit(main())
