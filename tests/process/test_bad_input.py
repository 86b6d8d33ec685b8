"""What a stock client gets wrong is answered by a status and a sentence, and changes nothing.

Runs a zhurnald by itself (from PATH) on a port of its own choosing, with the gRPC and protobuf of
Debian's packages."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import uuid

import grpc

ROOT = pathlib.Path(__file__).resolve().parents[2]
WAIT_S = 20


def generate(into):
    files = ["entry", "journal", "log", "cluster"]
    subprocess.run(
        ["protoc", f"-I{ROOT}/proto", f"--python_out={into}"]
        + [f"zhurnal/v1/{name}.proto" for name in files],
        check=True,
    )
    sys.path.insert(0, str(into))


class Node:
    """A zhurnald by itself."""

    def __init__(self, data):
        self.data = pathlib.Path(data)
        self.process = subprocess.Popen(
            ["zhurnald", "--data", str(data), "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, text=True,
        )
        greeting = "".join(self.process.stdout.readline() for _ in range(3))
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)", greeting)[1])
        self.school = int(re.search(r"of school (\d+)", greeting)[1])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(WAIT_S)
        self.process.stdout.close()

    def channel(self, who, tls=None):
        tls = tls or self.data / "tls"
        read = lambda name: (tls / name).read_bytes()
        key, certificate = (read(f"{who}.key"), read(f"{who}.pem")) if who else (None, None)
        authority = (self.data / "tls" / "ca.pem").read_bytes()
        credentials = grpc.ssl_channel_credentials(authority, key, certificate)
        return grpc.secure_channel(f"127.0.0.1:{self.port}", credentials)


def call(channel, method, request):
    """request: a message, or bytes that are sent as they are."""
    encode = lambda message: message if isinstance(message, bytes) else message.SerializeToString()
    return channel.unary_unary(method, request_serializer=encode)(request, timeout=WAIT_S)


def refused(channel, method, request):
    """(code, sentence) of a call that must fail."""
    try:
        call(channel, method, request)
    except grpc.RpcError as error:
        return error.code(), error.details()
    return grpc.StatusCode.OK, ""


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory() as temporary, \
            Node(pathlib.Path(temporary) / "node") as node, \
            Node(pathlib.Path(temporary) / "stranger") as stranger:
        generate(temporary)
        from zhurnal.v1 import cluster_pb2, entry_pb2, journal_pb2, log_pb2

        append = "/zhurnal.v1.JournalService/Append"
        page = "/zhurnal.v1.JournalService/GetPage"
        status = "/zhurnal.v1.ClusterService/Status"
        frontend, operator = node.channel("frontend"), node.channel("operator")

        def entry(number, entry_id=None):
            request = journal_pb2.AppendRequest()
            request.draft.entry_id = entry_id or uuid.uuid4().bytes
            request.draft.school = node.school
            request.draft.actor.person = 7
            request.draft.actor.role = entry_pb2.ROLE_SUBJECT_TEACHER
            event = request.draft.events.add(day=20261123)
            event.mark_set.pupil, event.mark_set.lesson, event.mark_set.slot = 9, 4, 1
            event.mark_set.mark.mark_kind = entry_pb2.MARK_KIND_NUMBER
            event.mark_set.mark.number = number
            return request

        def last_index():
            answer = call(operator, status, cluster_pb2.StatusRequest())
            return cluster_pb2.StatusResponse.FromString(answer).groups[0].last_index

        def expect(name, code, words, answer, channel=None):
            nonlocal passed, failed
            good = answer[0] == code and all(word in answer[1] for word in words)
            passed, failed = passed + good, failed + (not good)
            print("ok  " if good else "FAIL", name, *answer)

        first = entry(5)
        call(frontend, append, first)
        encoded, before = first.SerializeToString(), last_index()
        code = grpc.StatusCode

        expect("the same entry id, other bytes", code.ALREADY_EXISTS, ["at index", "new id"],
               refused(frontend, append, entry(4, first.draft.entry_id)))
        expect("field 1 twice", code.INVALID_ARGUMENT, ["exactly once"],
               refused(frontend, append, encoded + encoded))
        expect("half an entry", code.INVALID_ARGUMENT, ["does not decode"],
               refused(frontend, append, encoded[: len(encoded) // 2]))
        expect("malformed", code.INVALID_ARGUMENT, ["does not decode"],
               refused(frontend, append, b"\xff" * 64))
        expect("nothing", code.INVALID_ARGUMENT, ["no draft"], refused(frontend, append, b""))
        expect("oversized", code.RESOURCE_EXHAUSTED, ["larger than"],
               refused(frontend, append, b"\x0a" + b"x" * (3 << 20)))
        expect("a malformed page request", code.INVALID_ARGUMENT, [" "],
               refused(frontend, page, b"\xff" * 64))
        expect("unknown method", code.UNIMPLEMENTED, ["no such method"],
               refused(frontend, "/zhurnal.v1.JournalService/Forget", first))
        expect("a page for nobody", code.INVALID_ARGUMENT, ["actor"],
               refused(frontend, page, journal_pb2.GetPageRequest(school=node.school, page=1)))
        expect("a page of another school", code.PERMISSION_DENIED, ["front end of the school"],
               refused(frontend, page, journal_pb2.GetPageRequest(
                   school=node.school + 1, page=1, actor=first.draft.actor)))
        expect("an operator reads a page", code.PERMISSION_DENIED, ["auditor"],
               refused(operator, page, journal_pb2.GetPageRequest(school=node.school, page=1)))
        expect("a peer's call by a client", code.PERMISSION_DENIED, ["node"],
               refused(frontend, "/zhurnal.peer.v1.PeerService/Forward", b""))
        expect("no certificate", code.UNAVAILABLE, [" "],
               refused(node.channel(None), status, cluster_pb2.StatusRequest()))
        expect("another authority's certificate", code.UNAVAILABLE, [" "],
               refused(node.channel("operator", stranger.data / "tls"), status,
                       cluster_pb2.StatusRequest()))
        replay = frontend.unary_stream(
            "/zhurnal.v1.LogService/Replay",
            request_serializer=log_pb2.ReplayRequest.SerializeToString,
        )
        try:
            list(replay(log_pb2.ReplayRequest(actor=first.draft.actor), timeout=WAIT_S))
            answer = code.OK, ""
        except grpc.RpcError as error:
            answer = error.code(), error.details()
        expect("a front end replays all schools", code.PERMISSION_DENIED, ["name the schools"],
               answer)
        expect("nothing changed", before, [], (last_index(), ""))
        expect("both end in order", (0, 0), [], ((node.stop(), stranger.stop()), ""))
    print(f"{passed} passed, {failed} failed")
    return failed != 0


sys.exit(main())
