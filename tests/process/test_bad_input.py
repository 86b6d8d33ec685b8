"""What a stock client gets wrong is answered by a status and a sentence, and changes nothing."""
import pathlib
import sys
import tempfile

from grpc import StatusCode

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from alone import APPEND, PAGE, STATUS, Count, Node, append, call, refused
from alone import cluster_pb2, journal_pb2


def bad_writes(count, node, frontend, first):
    encoded = first.SerializeToString()
    send = lambda request: refused(call, frontend, APPEND, request)
    count.expect_refused("the same entry id, other bytes", StatusCode.ALREADY_EXISTS, "at index",
                         send(node.mark(4, first.draft.entry_id)))
    count.expect_refused("field 1 twice", StatusCode.INVALID_ARGUMENT, "exactly once",
                         send(encoded + encoded))
    count.expect_refused("half an entry", StatusCode.INVALID_ARGUMENT, "does not decode",
                         send(encoded[: len(encoded) // 2]))
    count.expect_refused("malformed", StatusCode.INVALID_ARGUMENT, "does not decode",
                         send(b"\xff" * 64))
    count.expect_refused("nothing", StatusCode.INVALID_ARGUMENT, "no draft", send(b""))
    count.expect_refused("oversized", StatusCode.RESOURCE_EXHAUSTED, "larger than",
                         send(b"\x0a" + b"x" * (3 << 20)))
    count.expect_refused("an unknown method", StatusCode.UNIMPLEMENTED, "no such method",
                         refused(call, frontend, "/zhurnal.v1.JournalService/Forget", first))
    count.expect_refused("a peer's call by a client", StatusCode.PERMISSION_DENIED, "node",
                         refused(call, frontend, "/zhurnal.peer.v1.PeerService/Forward", b""))


def bad_reads(count, node, frontend, actor):
    page = lambda channel, **fields: refused(
        call, channel, PAGE, journal_pb2.GetPageRequest(page=1, **fields))
    count.expect_refused("a malformed page request", StatusCode.INVALID_ARGUMENT, " ",
                         refused(call, frontend, PAGE, b"\xff" * 64))
    count.expect_refused("a page for nobody", StatusCode.INVALID_ARGUMENT, "actor",
                         page(frontend, school=node.school))
    count.expect_refused("a page of another school", StatusCode.PERMISSION_DENIED, "front end",
                         page(frontend, school=node.school + 1, actor=actor))
    count.expect_refused("an operator reads a page", StatusCode.PERMISSION_DENIED, "auditor",
                         page(node.channel("operator"), school=node.school))
    count.expect_refused("a page that is not there", StatusCode.NOT_FOUND, "no page",
                         page(frontend, school=node.school, actor=actor))
    count.expect_refused("a front end replays all schools", StatusCode.PERMISSION_DENIED,
                         "name the schools",
                         refused(list, node.replay("frontend", actor=actor)))
    count.expect_refused("a replay from behind the end", StatusCode.OUT_OF_RANGE, "ends at",
                         refused(list, node.replay(from_index=1000)))


def bad_certificates(count, node, stranger):
    request = cluster_pb2.StatusRequest()
    count.expect_refused("no certificate", StatusCode.UNAVAILABLE, "handshake",
                         refused(call, node.channel(None), STATUS, request))
    foreign = node.channel("operator", stranger.data / "tls")
    count.expect_refused("another authority's certificate", StatusCode.UNAVAILABLE, " ",
                         refused(call, foreign, STATUS, request))


def main():
    count = Count()
    with tempfile.TemporaryDirectory() as temporary:
        here = pathlib.Path(temporary)
        with Node(here / "node") as node, Node(here / "stranger") as stranger:
            frontend = node.channel("frontend")
            first = node.mark(5)
            append(frontend, first)
            before = node.last_index()
            bad_writes(count, node, frontend, first)
            bad_reads(count, node, frontend, first.draft.actor)
            bad_certificates(count, node, stranger)
            count.expect("nothing changed", node.last_index() == before, before)
            count.expect("the node ends in order", node.stop() == 0)
    return count.end()


sys.exit(main())
