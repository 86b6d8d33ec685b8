"""Python's stock gRPC, with stubs generated from our protos, over mutual TLS: appends, replays, follows,
and sees errors as every gRPC client would."""
import pathlib
import queue
import sys
import tempfile
import threading
import uuid

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from alone import WAIT_S, Node  # noqa: E402
from zhurnal.v1 import cluster_pb2, cluster_pb2_grpc, entry_pb2 as e  # noqa: E402
from zhurnal.v1 import journal_pb2, journal_pb2_grpc, log_pb2, log_pb2_grpc  # noqa: E402


def draft(school, number):
    event = e.Event(day=20261123)
    event.mark_set.CopyFrom(e.MarkSet(pupil=701, lesson=601, slot=1,
                                      mark=e.Mark(mark_kind=e.MARK_KIND_NUMBER, number=number)))
    actor = e.Actor(person=11, role=e.ROLE_SUBJECT_TEACHER)
    return e.Draft(entry_id=uuid.uuid4().bytes, school=school, actor=actor, events=[event])


def append(stub, a_draft, **more):
    return stub.Append(journal_pb2.AppendRequest(draft=a_draft, **more), timeout=WAIT_S)


def refused(do):
    try:
        do()
    except grpc.RpcError as error:
        return error
    raise AssertionError("it was not refused")


def verdict_of(error):
    """google.rpc.Status { details = 3: Any { value = 2 } } by hand: stubs of it are not Debian's."""
    metadata = dict(error.trailing_metadata())
    data = metadata["grpc-status-details-bin"]
    marker = b"type.googleapis.com/zhurnal.v1.Verdict\x12"
    at = data.index(marker) + len(marker)
    size = data[at]
    assert size < 0x80
    return e.Verdict.FromString(data[at + 1:at + 1 + size])


# ---- the tests ----

def an_entry_is_recorded_once(node, journal, _):
    one = draft(node.school, 5)
    first = append(journal, one)
    assert first.index > 0 and first.recorded_at_ms > 0
    assert first.verdict.outcome == e.OUTCOME_ACCEPTED
    again = append(journal, one)
    assert (again.index, again.recorded_at_ms) == (first.index, first.recorded_at_ms)


def other_bytes_under_the_same_id_already_exist(node, journal, _):
    one = draft(node.school, 5)
    first = append(journal, one)
    one.events[0].mark_set.mark.number = 4
    error = refused(lambda: append(journal, one))
    assert error.code() == grpc.StatusCode.ALREADY_EXISTS, error
    assert str(first.index) in error.details(), error.details()


def a_refusal_brings_its_verdict(node, journal, _):
    error = refused(lambda: append(journal, draft(node.school + 1, 5)))
    assert error.code() == grpc.StatusCode.PERMISSION_DENIED, error
    verdict = verdict_of(error)
    assert verdict.outcome == e.OUTCOME_REFUSED and verdict.rule == 4, verdict


def a_check_records_nothing(node, journal, log):
    before = sum(1 for _ in log.Replay(log_pb2.ReplayRequest(), timeout=WAIT_S))
    answer = append(journal, draft(node.school, 5), check_only=True)
    assert answer.index == 0 and answer.verdict.outcome == e.OUTCOME_ACCEPTED
    assert sum(1 for _ in log.Replay(log_pb2.ReplayRequest(), timeout=WAIT_S)) == before


def replay_gives_the_drafts_bytes_as_they_were_sent(node, journal, log):
    one = draft(node.school, 3)
    raw = one.SerializeToString() + b"\xa2\x3e\x03new"  # A field that nobody knows.
    call = journal._append_raw(b"\x0a" + bytes([len(raw)]) + raw, timeout=WAIT_S)
    index = journal_pb2.AppendResponse.FromString(call).index
    records = list(log.Replay(
        log_pb2.ReplayRequest(from_index=index, limit=1), timeout=WAIT_S))
    assert [r.index for r in records] == [index]
    assert e.Entry.FromString(records[0].entry).draft == raw
    assert records[0].verdict.outcome == e.OUTCOME_ACCEPTED


def replay_gives_other_kinds_when_asked(node, _, log):
    kinds = [log_pb2.RECORD_KIND_MEMBERSHIP]
    records = list(log.Replay(log_pb2.ReplayRequest(kinds=kinds), timeout=WAIT_S))
    assert [r.index for r in records] == [1]


def following_brings_what_comes_next(node, journal, log):
    arrived = queue.Queue()
    start = append(journal, draft(node.school, 5)).index + 1
    stream = log.Replay(log_pb2.ReplayRequest(from_index=start, follow=True))

    def follow():
        try:
            for record in stream:
                arrived.put(record.index)
        except grpc.RpcError as error:
            arrived.put(error.code())

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    expected = [append(journal, draft(node.school, n % 4 + 2)).index for n in range(20)]
    assert [arrived.get(timeout=WAIT_S) for _ in expected] == expected
    stream.cancel()
    assert arrived.get(timeout=WAIT_S) == grpc.StatusCode.CANCELLED
    thread.join(WAIT_S)


def a_page_is_for_those_who_may_read_it(node, journal, _):
    request = journal_pb2.GetPageRequest(school=node.school, page=1)
    error = refused(lambda: journal.GetPage(request, timeout=WAIT_S))
    assert error.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.PERMISSION_DENIED), error
    request.actor.CopyFrom(e.Actor(person=11, role=e.ROLE_SUBJECT_TEACHER))
    error = refused(lambda: journal.GetPage(request, timeout=WAIT_S))
    assert error.code() == grpc.StatusCode.NOT_FOUND, error


def main():
    passed = failed = 0
    tests = [an_entry_is_recorded_once, other_bytes_under_the_same_id_already_exist,
             a_refusal_brings_its_verdict, a_check_records_nothing,
             replay_gives_the_drafts_bytes_as_they_were_sent, replay_gives_other_kinds_when_asked,
             following_brings_what_comes_next, a_page_is_for_those_who_may_read_it]
    with tempfile.TemporaryDirectory() as here, Node(pathlib.Path(here) / "node") as node:
        front_end = node.channel("frontend")
        journal = journal_pb2_grpc.JournalServiceStub(front_end)
        journal._append_raw = front_end.unary_unary("/zhurnal.v1.JournalService/Append")
        log = log_pb2_grpc.LogServiceStub(node.channel("auditor"))
        cluster = cluster_pb2_grpc.ClusterServiceStub(node.channel("operator"))
        deadline = WAIT_S * 10
        while cluster.Status(cluster_pb2.StatusRequest(), timeout=WAIT_S).groups[0].leader == 0:
            deadline -= 1
            assert deadline > 0, "nobody leads"
        for test in tests:
            try:
                test(node, journal, log)
                passed += 1
            except Exception as error:  # pylint: disable=broad-except
                failed += 1
                print(f"FAILED {test.__name__}: {type(error).__name__}: {error}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


main()
