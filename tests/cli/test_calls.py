"""zhurnalctl against nodes that misbehave on cue: what it sends again, what it goes on with, and how it
ends. The nodes are stock gRPC servers with certificates that zhurnalctl issued."""
import concurrent.futures
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import grpc

WAIT_S = 60
SCHOOL = 77
OK = grpc.StatusCode.OK


# ---- protobuf by hand: bytes must go out as they are ----

def varint(number):
    out = b""
    while number > 0x7F:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def number(field, value):
    return varint(field << 3) + varint(value)


def nested(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


def fixed64(field, value):
    return varint(field << 3 | 1) + value.to_bytes(8, "little")


def request(name):
    """An AppendRequest with a field that nobody knows, within the draft and behind it."""
    draft = (nested(1, name.rjust(16).encode()) + fixed64(2, SCHOOL) + nested(4, number(1, 20261123))
             + nested(1000, b"of a later version"))
    return nested(1, draft) + nested(3, b"signature")


def delimited(*requests):
    return b"".join(varint(len(each)) + each for each in requests)


# ---- a node ----

class Fake:
    """append, replay and page are what it does; all that was asked of it is kept."""

    def __init__(self, tls):
        self.append = lambda request, context: number(1, 5)
        self.replay = lambda request, context: iter(())
        self.page = lambda request, context: b""
        self.status = lambda request, context: standing(0xa1)
        self.asked = []
        read = lambda name: (tls / name).read_bytes()
        credentials = grpc.ssl_server_credentials(
            [(read("node.key"), read("node.pem"))], read("ca.pem"), require_client_auth=True)
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
        self.server.add_generic_rpc_handlers((
            self.service("JournalService", Append=grpc.unary_unary_rpc_method_handler(
                lambda *call: self.keep(self.append, *call)),
                GetPage=grpc.unary_unary_rpc_method_handler(
                    lambda *call: self.keep(self.page, *call))),
            self.service("ClusterService", Status=grpc.unary_unary_rpc_method_handler(
                lambda *call: self.keep(self.status, *call))),
            self.service("LogService", Replay=grpc.unary_stream_rpc_method_handler(
                lambda *call: self.keep(self.replay, *call))),
        ))
        self.address = f"127.0.0.1:{self.server.add_secure_port('127.0.0.1:0', credentials)}"
        self.server.start()

    @staticmethod
    def service(name, **methods):
        return grpc.method_handlers_generic_handler(f"zhurnal.v1.{name}", methods)

    def keep(self, function, request, context):
        self.asked.append(request)
        return function(request, context)


def standing(leader, role=3, last=8, **more):
    """A StatusResponse of node a1."""
    group = (number(1, 1) + number(2, role) + number(3, 4) + fixed64(4, leader) + number(5, last)
             + number(6, 7) + number(7, 6) + number(8, 5) + nested(9, bytes(range(0xab, 0xcb)))
             + more.get("group", b""))
    return fixed64(3, 0xa1) + nested(7, group) + more.get("node", b"")


def fail_first(times, then, code=grpc.StatusCode.UNAVAILABLE, sentence="outcome unknown"):
    """Refuses so many calls, then does what then does."""
    left = [times]

    def function(request, context):
        left[0] -= 1
        if left[0] >= 0:
            context.abort(code, sentence)
        return then(request, context)
    return function


def records(first, last, end=OK):
    """Answers Replay with barriers; ends otherwise than well where end says so."""
    def function(_, context):
        for index in range(first, last + 1):
            yield number(1, index) + number(2, 2)
        if end != OK:
            context.abort(end, "the node stops")
    return function


# ---- the tests ----

class Tests:
    def __init__(self, here):
        self.here, self.passed, self.failed = here, 0, 0
        self.tls = here / "tls"
        for arguments in (["init"], ["issue", "--node", "a1", "--address", "127.0.0.1"],
                          ["issue", "--operator", "o"]):
            subprocess.run(["zhurnalctl", "cert", *arguments, "--tls", self.tls], check=True,
                           stdout=subprocess.DEVNULL, timeout=WAIT_S)
        self.fakes = []

    def nodes(self, count):
        for fake in self.fakes:
            fake.server.stop(None)
        self.fakes = [Fake(self.tls) for _ in range(count)]
        return self.fakes

    def ctl(self, *arguments, given=b""):
        endpoints = ",".join(fake.address for fake in self.fakes)
        return subprocess.run(
            ["zhurnalctl", "--endpoint", endpoints, "--tls", self.tls, *map(str, arguments)],
            input=given, capture_output=True, timeout=WAIT_S)

    def expect(self, name, good, result=None):
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        print("ok  " if good else "FAIL", name, "" if good else result, flush=True)

    def what_gets_no_answer_is_sent_again(self):
        first, second = self.nodes(2)
        first.append = fail_first(1, first.append)
        second.append = fail_first(1, second.append)
        result = self.ctl("append", "--delimited", given=delimited(request("a")))
        self.expect("UNAVAILABLE: the next endpoint is asked, then the first again",
                    result.returncode == 0 and len(first.asked) == 2 and len(second.asked) == 1,
                    result)
        self.expect("the same bytes each time", {*first.asked, *second.asked} == {request("a")})

    def entries_are_listed_and_counted(self):
        (node,) = self.nodes(1)
        indexes = iter(range(5, 100))
        node.append = lambda *_: number(1, next(indexes))
        listed = self.here / "acknowledged"
        result = self.ctl("append", "--delimited", "--acknowledged", listed,
                          given=delimited(request("a"), request("b")))
        lines = [f"{SCHOOL} {name.rjust(16).encode().hex()} {index}\n"
                 for name, index in (("a", 5), ("b", 6))]
        self.expect("acknowledged entries are listed", listed.read_text() == "".join(lines), result)
        self.expect("and counted", b"2 recorded, 0 refused, 0 without an answer" in result.stdout,
                    result)
        self.expect("in their order", node.asked == [request("a"), request("b")])

    def many_are_in_flight(self):
        (node,) = self.nodes(1)
        result = self.ctl("append", "--delimited", "--in-flight", 8,
                          given=delimited(*(request(str(i)) for i in range(200))))
        self.expect("many in flight: each is sent once",
                    result.returncode == 0 and sorted(node.asked) ==
                    sorted(request(str(i)) for i in range(200)), result)

    def a_rate_is_kept(self):
        self.nodes(1)
        begun = time.monotonic()
        result = self.ctl("append", "--delimited", "--rate", 20, "--in-flight", 4,
                          given=delimited(*(request(str(i)) for i in range(10))))
        self.expect("a rate is kept", result.returncode == 0 and time.monotonic() - begun > 0.4,
                    result)

    def _interrupted(self, node, sent, sure):
        """What append says that is interrupted when sure() holds, its source still open."""
        listed = self.here / "interrupted"
        listed.unlink(missing_ok=True)
        command = ["zhurnalctl", "--endpoint", node.address, "--tls", self.tls, "append",
                   "--delimited", "--acknowledged", listed]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            process.stdin.write(sent)
            process.stdin.flush()
            for _ in range(20 * WAIT_S):
                if sure(listed):
                    break
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            code = process.wait(WAIT_S)
            return code, process.stderr.read(), len(listed.read_text().splitlines())

    def ctrl_c_ends_in_order(self):
        (node,) = self.nodes(1)
        answer = node.append
        node.append = lambda *call: (time.sleep(0.5), answer(*call))[1]
        result = self._interrupted(node, delimited(request("a"), request("b")),
                                   lambda listed: len(node.asked) == 1)
        self.expect("Ctrl-C waits for what was sent, and sends no more",
                    result[0] == 1 and result[2] == 1 and node.asked == [request("a")]
                    and b"behind entry 1 was sent" in result[1], result)
        node.append = answer
        result = self._interrupted(node, delimited(request("a")),
                                   lambda listed: listed.exists() and listed.read_text())
        self.expect("and does not wait for more to read", result[0] == 1 and result[2] == 1, result)

    def a_refusal_is_not_sent_again(self):
        (node,) = self.nodes(1)
        node.append = fail_first(
            1, node.append, grpc.StatusCode.PERMISSION_DENIED, "use another certificate")
        result = self.ctl("append", "--delimited", given=delimited(request("a"), request("b")))
        self.expect("a refusal ends with 1, and the rest is sent",
                    result.returncode == 1 and node.asked == [request("a"), request("b")], result)
        self.expect("the sentence is shown", b"use another certificate" in result.stderr, result)

    def a_full_queue_is_waited_for(self):
        (node,) = self.nodes(1)
        node.append = fail_first(3, node.append, grpc.StatusCode.RESOURCE_EXHAUSTED, "too much")
        result = self.ctl("append", "--delimited", given=delimited(request("a")))
        self.expect("a full queue is waited for",
                    result.returncode == 0 and len(node.asked) == 4, result)

    def what_a_node_says_is_what_is_said(self):
        first, gone = self.nodes(2)
        gone.server.stop(None).wait()
        first.append = first.page = fail_first(1000, None, sentence="no leader just now")
        for command in (["append", "--delimited", "--retry", 1], ["page", "--school", 1, "--page", 1]):
            result = self.ctl(*command, given=delimited(request("a")))
            self.expect(f"{command[0]}: a node's word counts for more than a refused connection",
                        result.returncode == 3 and b"no leader just now" in result.stderr, result)

    def retrying_has_an_end(self):
        (node,) = self.nodes(1)
        node.append = fail_first(1000, node.append)
        result = self.ctl("append", "--delimited", "--retry", 1, given=delimited(request("a")))
        self.expect("sending again has an end, with 3",
                    result.returncode == 3 and 2 < len(node.asked) < 1000, result)
        self.expect("and says that nobody knows", b"outcome unknown" in result.stderr, result)

    def no_list_is_written_to_a_full_disk(self):
        self.nodes(1)
        result = self.ctl("append", "--delimited", "--acknowledged", "/dev/full",
                          given=delimited(request("a")))
        self.expect("a list that is not whole is a failure", result.returncode == 1, result)

    def what_cannot_be_read_is_a_failure(self):
        (node,) = self.nodes(1)
        for how in ([], ["--delimited"]):
            result = self.ctl("append", self.here, *how)
            self.expect("a directory is no empty source",
                        result.returncode == 1 and node.asked == [] and
                        result.stderr.decode() == f"zhurnalctl: {self.here} cannot be read: Is a "
                    f"directory\nzhurnalctl: stopped: nothing of {self.here} was sent\n", result)

    def what_is_wrong_in_a_source_ends_it(self):
        (node,) = self.nodes(1)
        good = b'{"draft": {"school": 77, "events": [{"day": 20261123}]}}\n'
        source = self.here / "entries.json"
        source.write_bytes(good + b'{"draft":\n  {"school": 77,}}\n' + good)
        result = self.ctl("append", source)
        self.expect("nothing behind a wrong entry is sent", result.returncode == 1 and
                    len(node.asked) == 1 and f"zhurnalctl: stopped: nothing of {source} behind entry 1 "
                    "was sent\n" in result.stderr.decode(), result)
        self.expect("it is named by its line in the file", b"entry 2: this is not JSON: line 3, "
                    b"column 17" in result.stderr, result)
        self.expect("and what was sent is counted", b"1 recorded, 0 refused" in result.stdout, result)
        node.asked.clear()
        source.write_bytes(b"[" + good + b"]")
        result = self.ctl("append", source)
        self.expect("nothing sent, nothing counted", result.returncode == 1 and node.asked == [] and
                    result.stdout == b"" and b"without [ ]" in result.stderr and
                    f"stopped: nothing of {source} was sent\n" in result.stderr.decode(), result)

    def a_long_list_is_cut(self):
        (node,) = self.nodes(1)
        result = self.ctl("append", "--delimited",
                          given=delimited(*(request(str(i)) for i in range(25))))
        lines = result.stdout.decode().splitlines()
        self.expect("what is not listed is counted", len(lines) == 24 and
                    lines[20] == "… and 5 more; all: --acknowledged FILE", result)
        self.expect("within 80 columns", max(map(len, lines)) <= 80, lines)
        node.append = fail_first(10, node.append, grpc.StatusCode.PERMISSION_DENIED, "no")
        result = self.ctl("append", "--delimited",
                          given=delimited(*(request(str(i)) for i in range(40))))
        self.expect("the refused are not among them",
                    "  recorded\n… and 10 more" in result.stdout.decode(), result)

    def what_is_only_judged_has_no_index(self):
        (node,) = self.nodes(1)
        node.append = lambda *_: b""
        result = self.ctl("append", "--check-only", "--delimited", given=delimited(request("a")))
        self.expect("what is only judged has no index", result.stdout.decode() ==
                    f"{'a'.rjust(16).encode().hex()}  would be recorded\n", result)

    def replay_goes_on_elsewhere(self):
        first, second = self.nodes(2)
        first.replay = records(1, 3, grpc.StatusCode.UNAVAILABLE)
        second.replay = records(4, 6)
        result = self.ctl("replay", "--kind", "barrier")
        shown = [int(line.split()[0]) for line in result.stdout.splitlines()]
        self.expect("replay goes on at the next node, where it was",
                    result.returncode == 0 and shown == [1, 2, 3, 4, 5, 6], result)
        self.expect("it asks for what is missing",
                    number(2, 1) in first.asked[0] and number(2, 4) in second.asked[0])

    def a_limit_holds_over_a_break(self):
        (node,) = self.nodes(1)
        node.replay = records(1, 3, grpc.StatusCode.UNAVAILABLE)
        result = self.ctl("replay", "--kind", "barrier", "--limit", 3)
        self.expect("a limit that is reached is not asked for again",
                    result.returncode == 0 and len(node.asked) == 1, result)
        calls = iter([records(1, 3, grpc.StatusCode.UNAVAILABLE), records(4, 5)])
        node.replay = lambda *call: next(calls)(*call)
        node.asked.clear()
        result = self.ctl("replay", "--kind", "barrier", "--limit", 5)
        self.expect("and what is left of it is", result.returncode == 0 and
                    [number(5, 5) in node.asked[0], number(5, 2) in node.asked[1]] == [True] * 2,
                    (result, node.asked))

    def replay_gives_up(self):
        (node,) = self.nodes(1)
        node.replay = records(1, 0, grpc.StatusCode.UNAVAILABLE)
        result = self.ctl("replay", "--timeout", 1)
        self.expect("replay gives up with 3", result.returncode == 3, result)
        node.replay = records(1, 0, grpc.StatusCode.OUT_OF_RANGE)
        result = self.ctl("replay", "--timeout", 1)
        self.expect("and at once, with 1, where asking again is no help", result.returncode == 1)

    def replay_waits_no_longer_than_it_is_told(self):
        (node,) = self.nodes(1)
        node.server.stop(None).wait()
        begun = time.monotonic()
        result = self.ctl("replay", "--timeout", 4)
        self.expect("the pauses between attempts are within the time-out",
                    result.returncode == 3 and 4 <= time.monotonic() - begun < 6, result)

    def following_outlives_a_second_loss(self):
        (node,) = self.nodes(1)

        def quiet(_, context):
            time.sleep(6)
            yield from records(1, 0, grpc.StatusCode.UNAVAILABLE)(_, context)
        calls = iter([records(1, 0, grpc.StatusCode.UNAVAILABLE), quiet, records(1, 1)])
        node.replay = lambda *call: next(calls)(*call)
        result = self.ctl("replay", "--kind", "barrier", "--follow", "--timeout", 2)
        self.expect("following outlives a second loss, a quiet while after the first",
                    result.returncode == 0 and result.stdout == b"1  barrier\n", result)

    def raw_is_what_came(self):
        (node,) = self.nodes(1)
        node.replay = lambda *_: iter([number(1, 7) + number(2, 1) + nested(3, b"\x00\xffany"),
                                       number(1, 258) + number(2, 77) + nested(3, b"")])
        raw = self.here / "raw"
        result = self.ctl("replay", "--kind", "all", "--raw", raw)
        self.expect("--raw writes the bytes as they came", result.returncode == 0 and
                    raw.read_bytes() == bytes(7) + b"\x07\x01\0\0\0\x05\x00\xffany" +
                    bytes(6) + b"\x01\x02\x4d\0\0\0\0", raw.read_bytes())
        result = self.ctl("replay", "--kind", "all", "--raw", "/dev/full")
        self.expect("--raw to a full disk is a failure", result.returncode == 1, result)
        result = self.ctl("replay", "--kind", "all")
        self.expect("what nobody knows is shown as such",
                    b"7  command that does not decode\n258  unknown kind\n" == result.stdout, result)
        result = self.ctl("replay", "--kind", "all", "-o", "json")
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        self.expect("in JSON too", [line["record"]["kind"] for line in lines] ==
                    ["RECORD_KIND_COMMAND", 77] and lines[0]["record"]["entry"] == "AP9hbnk=" and
                    lines[0]["entry"] is None, result)

    def records_are_shown_by_what_is_in_them(self):
        (node,) = self.nodes(1)
        draft = nested(1, bytes(16)) + fixed64(2, SCHOOL) + nested(
            4, nested(207, b"")) + nested(4, nested(207, b"")) + nested(4, nested(1999, b""))
        entry = (nested(1, draft) + number(4, 1795526222742) +
                 nested(5, number(1, 2) + nested(2, b"portal")))
        refused = nested(4, number(1, 2) + number(2, 9) + fixed64(4, SCHOOL))
        members = nested(3, fixed64(1, 0xa1) + nested(2, b"one:7400")) + nested(4, b"founding")
        node.replay = lambda *_: iter([
            number(1, 1) + number(2, 3) + nested(3, members), number(1, 2) + number(2, 2),
            number(1, 3) + number(2, 1) + nested(3, entry) + nested(4, number(1, 1)),
            number(1, 4) + number(2, 1) + refused,
            number(1, 5) + number(2, 1) + nested(4, number(1, 1))])
        result = self.ctl("replay", "--kind", "all")
        self.expect("a line shows what is in a record", result.stdout.decode().splitlines() == [
            "1  membership  a1=one:7400  by founding",
            "2  barrier",
            f"3  2026-11-24T13:17:02.742Z  school {SCHOOL}  portal  accepted  class_closed ×2, "
            "unknown_event",
            f"4  command, not shown to this caller  school {SCHOOL}  refused by rule 9",
            "5  command, not shown to this caller  -  accepted"], result)
        result = self.ctl("replay", "--kind", "all", "-o", "json")
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        self.expect("so does JSON", len(lines) == 5 and
                    lines[0]["membership"]["members"][0]["address"] == "one:7400" and
                    lines[2]["entry"]["principal"]["name"] == "portal" and
                    lines[2]["draft"]["events"][0] == {"classClosed": {}} and
                    [lines[3][part] for part in ("entry", "draft", "membership")] == [None] * 3, lines)

    def a_summary_counts(self):
        (node,) = self.nodes(1)

        def command(index, outcome, name):
            entry = request(name)[: -len(nested(3, b"signature"))]
            return number(1, index) + number(2, 1) + nested(3, entry) + nested(4, number(1, outcome))
        node.replay = lambda *_: iter([
            command(1, 1, "a"), command(2, 2, "b"), command(3, 3, "a"), command(4, 1, "c"),
            command(5, 1, "a"), number(1, 6) + number(2, 2), number(1, 7) + number(2, 3),
            number(1, 8) + number(2, 1) + nested(4, number(1, 1)), number(1, 9) + number(2, 99)])
        result = self.ctl("replay", "--kind", "all", "--summary", "-o", "json")
        self.expect("--summary counts records, verdicts and effects",
                    result.returncode == 0 and json.loads(result.stdout) == {
                        "records": 9, "commands": 6, "barriers": 1, "memberships": 1, "erased": 0,
                        "accepted": 4, "refused": 1, "duplicates": 1, "effects": 2, "doubled": 1,
                        "hidden": 1}, result)
        for form in (["--ids"], ["--raw", self.here / "x"]):
            result = self.ctl("replay", "-o", "json", *form)
            self.expect(f"-o json {form[0]} is wrong use", result.returncode == 2, result)
        for wrong in (["--ids"], ["--raw", self.here / "x"], ["--follow"]):
            result = self.ctl("replay", "--summary", *wrong)
            self.expect(f"--summary {wrong[0]} is wrong use", result.returncode == 2, result)

    def a_page_comes_in_pieces(self):
        (node,) = self.nodes(1)
        pages = iter([number(11, 20261201), b""])
        node.page = lambda *_: next(pages)
        result = self.ctl("page", "--school", SCHOOL, "--page", 1)
        self.expect("a page that was cut is asked for to its end",
                    result.returncode == 0 and number(4, 20261201) in node.asked[1], result)
        node.page = lambda *_: number(11, 20261201)
        node.asked.clear()
        result = self.ctl("page", "--school", SCHOOL, "--page", 1)
        self.expect("but not for ever", result.returncode == 1 and len(node.asked) == 2, result)

    def a_page_is_read_elsewhere(self):
        first, second = self.nodes(2)
        first.page = fail_first(1, first.page)
        result = self.ctl("page", "--school", SCHOOL, "--page", 1, "--person", 7, "--role", "head")
        self.expect("a page is read from the next node where one has none",
                    result.returncode == 0 and first.asked == second.asked, result)
        self.expect("for the person named", nested(1, fixed64(1, 7) + number(2, 1)) in
                    second.asked[0], second.asked)

    def a_page_that_does_not_come_has_no_outcome(self):
        (node,) = self.nodes(1)
        node.page = lambda *_: time.sleep(2) or b""
        result = self.ctl("page", "--school", 1, "--page", 1, "--timeout", 1)
        self.expect("a read that is late ends with 3", result.returncode == 3 and
                    b"no page came within 1 s" in result.stderr and b"outcome" not in result.stderr,
                    result)
        result = self.ctl("page", "--school", 1, "--page", 1, "--timeout", 1, "--min-index", 9)
        self.expect("what it waited for is said", result.returncode == 1 and
                    f"{node.address} has applied index 5, not yet 9".encode() in result.stderr, result)

    def a_sentence_names_the_options(self):
        (node,) = self.nodes(1)
        for sentence, words in (
                ("a front end reads for a person: name him in actor.person", b"by --person and --role"),
                ("from_day 1, to_day 2: ask with min_index",
                 b"--from-day 1, --to-day 2: ask with --min-index")):
            node.page = fail_first(1, None, grpc.StatusCode.INVALID_ARGUMENT, sentence)
            result = self.ctl("page", "--school", 1, "--page", 1)
            self.expect("a sentence names the options", words in result.stderr, result)

    def status_asks_every_node(self):
        first, second, gone = self.nodes(3)
        gone.server.stop(None).wait()
        second.status = lambda *_: standing(
            0xa1, role=1, last=9, group=number(15, 12), node=number(8, 1))
        result = self.ctl("status")
        rows = [line.split() for line in result.stdout.decode().splitlines()]
        self.expect("status shows a row for each endpoint",
                    result.returncode == 0 and
                    rows[0] == "endpoint node role term last applied leader digest".split() and
                    rows[1] == [first.address, "a1", "leader", "4", "8", "5", "a1", "abacadae"] and
                    rows[2][:5] == [second.address, "a1", "follower", "4", "9"] and
                    rows[3] == [gone.address, "-", "no", "answer"], result)
        said = result.stdout.decode()
        self.expect("within 80 columns", max(map(len, said.splitlines()[:4])) <= 80, said)
        second.status = lambda *_: standing(0x8a0debb74b02a927)
        result = self.ctl("status")
        self.expect("of a long id the beginning is shown", " 8a0debb7…  " in result.stdout.decode(),
                    result)
        second.status = lambda *_: standing(0xa1, last=9)
        self.expect("and says what is wrong", "no room for its log" in said and
                    "catching up to index 12" in said and f"{gone.address}: cannot reach" in said, said)
        result = self.ctl("status", "-o", "json")
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        self.expect("in JSON too, the dead as well",
                    [line["endpoint"] for line in lines] == [fake.address for fake in self.fakes] and
                    [line.get("node") for line in lines] == ["a1", "a1", None] and
                    lines[0]["leader"] == "a1" and lines[0]["status"]["node"] == "161" and
                    lines[0]["status"]["groups"][0]["role"] == "NODE_ROLE_LEADER" and
                    "cannot reach" in lines[2]["error"], result)

    def status_tells_whether_anybody_leads(self):
        first, second = self.nodes(2)
        for leaders, code in (((0xa1, 0xa1), 0), ((0, 0), 1), ((0xa1, 0xa2), 1), ((0, 0xa2), 1)):
            first.status = lambda *_, it=leaders[0]: standing(it)
            second.status = lambda *_, it=leaders[1]: standing(it)
            for how in ([], ["-o", "json"]):
                result = self.ctl("status", *how)
                self.expect(f"status: leaders {leaders}", result.returncode == code and
                            (b"nobody leads" in result.stderr) == (code == 1), result)
        first.status = lambda *_: standing(0)
        result = self.ctl("status", "-o", "json")
        self.expect("in JSON it is null", json.loads(result.stdout.splitlines()[0])["leader"] is None,
                    result)

    def status_waits_for_one_leader(self):
        first, second = self.nodes(2)
        answers = iter([standing(0), standing(0xa2)])
        first.status = lambda *_: next(answers, standing(0xa1))
        result = self.ctl("status", "--wait-leader", 20)
        self.expect("--wait-leader waits until all know one leader",
                    result.returncode == 0 and len(first.asked) == 3, (result, first.asked))
        first.status = lambda *_: standing(0)
        result = self.ctl("status", "--wait-leader", 1)
        self.expect("and not for ever", result.returncode == 1 and b"nobody leads" in result.stderr,
                    result)

    def nobody_answers(self):
        self.nodes(1)
        self.fakes[0].server.stop(None).wait()
        for command in (["status"], ["page", "--school", 1, "--page", 1],
                        ["replay", "--timeout", 1]):
            result = self.ctl(*command)
            self.expect(f"{command[0]}: nobody answers, and it ends with 3",
                        result.returncode == 3, result)

    def only_a_node_of_the_cluster_is_believed(self):
        (node,) = self.nodes(1)
        other = self.here / "other"
        for arguments in (["init"], ["issue", "--operator", "o"]):
            subprocess.run(["zhurnalctl", "cert", *arguments, "--tls", other], check=True,
                           stdout=subprocess.DEVNULL, timeout=WAIT_S)
        begun = time.monotonic()
        result = self.ctl("--tls", other, "append", "--delimited",
                          given=delimited(*(request(str(i)) for i in range(100))))
        self.expect("a node of another cluster is told nothing",
                    result.returncode == 3 and node.asked == [], result)
        self.expect("and why is said, once", result.stderr.count(b"unknown authority") == 1 and
                    b"nothing of standard input behind entry 1 was sent" in result.stderr, result)
        result = self.ctl("--tls", other, "replay")
        self.expect("nor is it asked for anything", result.returncode == 3 and
                    b"unknown authority" in result.stderr and node.asked == [], result)
        self.expect("at once", time.monotonic() - begun < 10)


def main():
    with tempfile.TemporaryDirectory() as here:
        tests = Tests(pathlib.Path(here))
        for name, function in vars(Tests).items():
            if not name.startswith("_") and name not in ("nodes", "ctl", "expect"):
                function(tests)
        tests.nodes(0)
    print(f"{tests.passed} passed, {tests.failed} failed")
    return tests.failed != 0


sys.exit(main())
