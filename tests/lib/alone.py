"""A zhurnald by itself, and a stock client of it: what the tests here share.

zhurnald is found in PATH; gRPC and protobuf are Debian's. The messages are generated on import, into
a directory that lives as long as the test."""
import atexit
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid

import grpc

ROOT = pathlib.Path(__file__).resolve().parents[2]
WAIT_S = 20


def generate():
    generated = tempfile.TemporaryDirectory()
    atexit.register(generated.cleanup)
    names = [f"zhurnal/v1/{name}.proto" for name in ("entry", "journal", "log", "cluster")]
    plugin = shutil.which("grpc_python_plugin")
    subprocess.run(
        ["protoc", f"-I{ROOT}/proto", f"--python_out={generated.name}",
         f"--grpc_python_out={generated.name}", f"--plugin=protoc-gen-grpc_python={plugin}"] + names,
        check=True,
    )
    sys.path.insert(0, generated.name)


generate()
from zhurnal.v1 import cluster_pb2, entry_pb2, journal_pb2, log_pb2  # noqa: E402

APPEND = "/zhurnal.v1.JournalService/Append"
PAGE = "/zhurnal.v1.JournalService/GetPage"
REPLAY = "/zhurnal.v1.LogService/Replay"
STATUS = "/zhurnal.v1.ClusterService/Status"


class Node:
    """Started on a port that it picks; killed, at the latest, at the end of its `with`."""

    def __init__(self, data):
        self.data = pathlib.Path(data)
        self.errors = open(f"{data}.log", "a+", encoding="utf-8")
        self.process = subprocess.Popen(
            ["zhurnald", "--data", str(data), "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=self.errors, text=True,
        )
        self.greeting = "".join(self.process.stdout.readline() for _ in range(3))
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)", self.greeting)[1])
        self.school = int(re.search(r"of school (\d+)", self.greeting)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.process.stdout.close()
        self.errors.close()

    def kill(self):
        self.process.kill()
        self.process.wait(WAIT_S)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT_S)

    def channel(self, who, tls=None):
        """As the caller whose certificate is called so; None: without one."""
        tls = tls or self.data / "tls"
        names = (f"{who}.key", f"{who}.pem") if who else ()
        key, certificate = [(tls / name).read_bytes() for name in names] or (None, None)
        authority = (self.data / "tls" / "ca.pem").read_bytes()
        credentials = grpc.ssl_channel_credentials(authority, key, certificate)
        return grpc.secure_channel(f"127.0.0.1:{self.port}", credentials)

    def mark(self, number, entry_id=None, topic=""):
        """An AppendRequest with one mark, and a lesson with this topic."""
        request = journal_pb2.AppendRequest()
        request.draft.entry_id = entry_id or uuid.uuid4().bytes
        request.draft.school = self.school
        request.draft.actor.person = 7
        request.draft.actor.role = entry_pb2.ROLE_SUBJECT_TEACHER
        lesson = request.draft.events.add(day=20261123).lesson_held
        lesson.lesson, lesson.page, lesson.number, lesson.slot, lesson.topic = 4, 3, 1, 1, topic
        mark = request.draft.events.add(day=20261123).mark_set
        mark.pupil, mark.lesson, mark.slot = 9, 4, 1
        mark.mark.mark_kind, mark.mark.number = entry_pb2.MARK_KIND_NUMBER, number
        return request

    def status(self):
        answer = call(self.channel("operator"), STATUS, cluster_pb2.StatusRequest())
        return cluster_pb2.StatusResponse.FromString(answer)

    def last_index(self):
        return self.status().groups[0].last_index

    def replay(self, who="auditor", **fields):
        stream = self.channel(who).unary_stream(
            REPLAY, request_serializer=log_pb2.ReplayRequest.SerializeToString,
            response_deserializer=log_pb2.ReplayResponse.FromString,
        )
        return stream(log_pb2.ReplayRequest(**fields), timeout=WAIT_S)


def call(channel, method, request, timeout=WAIT_S):
    """The answer's bytes. request: a message, or bytes that are sent as they are."""
    encode = lambda message: message if isinstance(message, bytes) else message.SerializeToString()
    return channel.unary_unary(method, request_serializer=encode)(request, timeout=timeout)


def append(channel, request, timeout=WAIT_S):
    return journal_pb2.AppendResponse.FromString(call(channel, APPEND, request, timeout))


def refused(function, *arguments):
    """(code, sentence) of a call that must fail."""
    try:
        function(*arguments)
    except grpc.RpcError as error:
        return error.code(), error.details()
    return grpc.StatusCode.OK, ""


class Count:
    """Counts what holds, and prints it as tests/run reads it."""

    def __init__(self):
        self.passed = self.failed = 0

    def expect(self, name, good, *what):
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        print("ok  " if good else "FAIL", name, *what, flush=True)

    def expect_refused(self, name, code, word, answer):
        self.expect(name, answer[0] == code and word in answer[1], *answer)

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        return self.failed != 0
