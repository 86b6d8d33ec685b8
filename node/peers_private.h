/* What the files of peers share. */
#ifndef NODE_PEERS_PRIVATE_H
#define NODE_PEERS_PRIVATE_H

#include "node/peers.h"
#include "rpc/tls.h"

enum {
    PEERS_HOST_SIZE = 256,
    PEERS_WHY_SIZE = 320,
    PEERS_TICK_MS = 100,
    PEERS_RETRY_MS = 500, /* Before a stream that ended is tried again; twice as long each time */
    PEERS_RETRY_DOUBLINGS = 4, /* that it is refused, but no more often than this. */
    PEERS_STEADY_MS = 1000,    /* A stream that has lived so long is not about to be refused. */
    PEERS_KEEPALIVE_MS = 1000, /* A dead peer is seen within three of these. */
    PEERS_KEEPALIVE_TIMEOUT_MS = 2000,
    PEERS_SESSION_BITS = 20, /* Of a session: the streams of one process. Those above: which. */
    PEERS_LATE_MS = 45000,   /* A server's connection that brings nothing is closed before that. */
    PEERS_CONNECT_TIMEOUT_MS = 2000,
    PEERS_PULL_SILENCE_MS = 5000,
    PEERS_PIECE_BYTES = 1 << 20, /* Of one message of a pull. */
    PEERS_PIECE_RECORDS = 4000,
};

/* A stream from a node. */
struct incoming {
    struct rpc_call *call;        /* Open and beyond its hello; NULL: none. */
    uint64_t session;             /* Of the last that was accepted; */
    uint64_t ended_ms;            /* when it ended. */
    char refusal[PEERS_WHY_SIZE]; /* Of its last hello, as noted; empty: it was accepted. */
};

/* A member other than ourselves. */
struct link {
    struct peers *peers;
    uint64_t node;
    char address[PEERS_HOST_SIZE + 8]; /* host:port */
    char host[PEERS_HOST_SIZE];
    int port;
    struct rpc_channel *raft, *bulk; /* NULL: none. */
    struct rpc_stream *stream;       /* Of our frames; NULL: none. */
    uint64_t accepted_ms;            /* When its hello was; 0: not yet. */
    unsigned refusals;               /* In a row. */
    uint64_t retry_ms;
    bool ready;               /* Frames may wait. */
    bool reachable;           /* As noted last, or else */
    char why[PEERS_WHY_SIZE]; /* why not; both empty: nothing was noted. */
    bool leaving;             /* No member any more; goes when its channels are closed. */
    uint64_t heard_ms;        /* 0: never. */
    uint32_t level_max;       /* As its hello said. */
    struct incoming incoming;
};

/* What is being fetched. */
struct pull {
    bool wanted; /* The rest holds. */
    uint64_t to, to_term;
    uint64_t got;      /* Handed over up to here. */
    uint64_t held_ms;  /* When nothing was last waited for. */
    struct link *link; /* From whom; NULL: not begun. */
    struct rpc_stream *stream;
    unsigned tried; /* How many members, one after the other. */
    unsigned next;  /* Whom to begin with. */
};

struct peers {
    uv_loop_t *loop;
    struct peers_options options;
    const struct peers_hooks *hooks;
    void *arg;
    uint64_t session; /* Of the last stream. */
    struct link *links[DRIVER_MEMBERS_MAX];
    unsigned count;
    struct pull pull;
    uv_idle_t idle;   /* Runs while something waits to be sent or begun. */
    uv_timer_t timer; /* Tries again. */
    unsigned parting; /* Channels that are closing. */
    unsigned works;   /* Reads on the pool. */
    unsigned handles;
    bool stopping, ending;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* peers.c */
struct link *peers_find(const struct peers *peers, uint64_t node);
/* Something is to be done by the idle handle. */
void peers_wake(struct peers *peers);
void peers_end_if_idle(struct peers *peers);

/* peers_link.c */
void link_open(struct link *link);
/* Sends what waits, as far as the stream takes it. */
void link_pump(struct link *link);
void link_tick(struct link *link);
void link_set_tls(struct link *link, struct tls_context *tls);
/* The connection for what is bulky; NULL when out of memory. */
struct rpc_channel *link_bulk(struct link *link);
/* Ends all its calls; it is freed when its channels are closed. */
void link_leave(struct link *link);

/* peers_service.c, peers_serve_pull.c */
extern const struct rpc_method peers_methods[];
extern const size_t peers_method_count;
/* A node calls; otherwise the call is finished. */
const struct identity *peers_caller(struct rpc_call *call);
void peers_serve_pull(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded);
void peers_serve_pull_on(struct rpc_call *call);
void peers_serve_pull_done(struct rpc_call *call);

/* peers_pull.c */
void pull_turn(struct peers *peers);
void pull_tick(struct peers *peers);
/* The member goes. */
void pull_forget(struct peers *peers, const struct link *link);

#endif
