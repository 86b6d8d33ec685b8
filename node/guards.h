/* What stands between the consensus core and the world: libraft 0.22.1 is sound, but for faults
 * that its caller must keep away from it, and it ships with its assertions off, so nothing else
 * checks what a peer sends. Each guard is named, and each has a scripted case in
 * tests/node/test_guards.c that goes wrong without it.
 *
 *  - STALE: A late AppendEntries or InstallSnapshot of an older term is answered with an
 * uninitialised last_log_index, which a leader of that answer's term takes for an acknowledgement:
 * a lost write. Such answers are marked on our wire, and the receiver takes nothing but the term
 * from them.
 *  - BELOW: An AppendEntries that starts below what is committed here makes the core store old
 * entries at the end of its log, or refuse for ever. What is committed matches by definition, so
 * the message is cut to begin behind it.
 *  - REJ: A late refusal of what the follower has since acknowledged moves its progress back below
 * its match.
 *  - SPLIT: A membership record that is not first in a batch is noted at the batch's index, and a
 * second one while the first is uncommitted is not expected. Batches are cut, and the older one is
 * confirmed first: a leader sends a second only when it is committed.
 *  - PREV: A refused pre-vote's answer echoes the candidate's term, so a good candidate with a low
 * term never learns of a higher one and nobody is elected. The answer is given our term.
 *  - CHANGE: The core lets a leader change the membership before anything of its own term is
 * committed, which may lose what is; while a voter has yet to hear that it is one, which may leave
 * no majority that knows itself; by more than one node, or down to two voters, of which one may
 * elect itself in a term that has a leader. None of these is submitted.
 *  - STAND: Who was told to stand and is not elected goes on standing with leave to disrupt. A
 * voter that is behind it gives its vote each time, and counts the leader it had as present for as
 * long as it does: it refuses the pre-vote of whoever could be elected. The leave is sent with the
 * one election that was asked for.
 *  - VOTE: An answer to a vote request is read as a candidate would, also by who is none any more:
 * a late pre-vote's answer, whose term nobody has reached, may take a leader or its follower out of
 * their term. It is dropped; whoever is ahead is heard of otherwise.
 *
 * All are pure and belong to the driver. Threads: the loop. */
#ifndef NODE_GUARDS_H
#define NODE_GUARDS_H

#include "proto/status.h"
#include "storage/record.h"
#include <zhurnal/peer/v1/peer.pb-c.h>

#include <raft.h>

/* For tests alone, which show that each is needed: guards that are switched off. */
enum guard {
    GUARD_STALE = 1,
    GUARD_BELOW = 2,
    GUARD_REJ = 4,
    GUARD_SPLIT = 8,
    GUARD_PREV = 16,
    GUARD_CHANGE = 32,
    GUARD_VOTE = 64,
    GUARD_STAND = 128,
};

/* Every field of a peer's message, before the core sees it. STATUS_MALFORMED: the peer is not to be
 * believed, and its stream must end. STATUS_CORRUPT: there is a second leader in our term, and this
 * process must end. */
int guards_check(const struct raft *raft, uint64_t from, const Zhurnal__Peer__V1__Frame *frame,
    struct error *err);

/* STALE, at the sender: an answer to a message of this term, sent while ours is current, is to be
 * marked. */
bool guards_stale_answer(raft_term current, raft_term answered);
/* STALE, at the receiver: true if the marked answer is to be dropped. */
bool guards_stale_drop(
    const struct raft *raft, const Zhurnal__Peer__V1__AppendEntriesResult *result);

/* BELOW: how many of the first entries to cut. The rest then follows on the commit index; 0 with
 * *below false: leave as it is. */
size_t guards_below(
    const struct raft *raft, raft_term term, raft_index prev_index, size_t count, bool *below);

/* REJ: true if the refusal is to be dropped. */
bool guards_rej_drop(
    const struct raft *raft, uint64_t from, const Zhurnal__Peer__V1__AppendEntriesResult *result);

/* SPLIT: length of the first piece of a batch: up to the next membership record that is not first.
 */
size_t guards_split(Zhurnal__Peer__V1__Record *const *records, size_t count);
/* SPLIT: the index whose RAFT_CONFIGURATION is to be fired before a batch that begins with a
 * membership record at `index`; 0: none. */
raft_index guards_split_commit(const struct raft *raft, raft_term term, raft_index index);

/* VOTE: true if an answer to a vote request is to be dropped. */
bool guards_vote_drop(const struct raft *raft);

/* STAND: whether a vote request carries the leave to disrupt; told: it answers the TimeoutNow that
 * was received. */
bool guards_stand_disrupts(const struct raft_request_vote *request, bool told);

/* CHANGE: whether the leader may submit this membership now; committed_term is the term of the
 * newest committed entry. STATUS_PRECONDITION, with a sentence. */
int guards_change(const struct raft *raft, const struct raft_configuration *next,
    raft_term committed_term, struct error *err);

/* PREV: the term to answer a vote request of this term with. */
raft_term guards_prev_term(
    const struct raft *raft, raft_term requested, const struct raft_request_vote_result *result);

#endif
