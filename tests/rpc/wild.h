/* A peer on a bare socket, which says what ours never would. Frames are written by hand (RFC 9113
 * §4; RFC 7541 §6.2.2: no table, no Huffman). It lives in the thread of whom it talks to. */
#ifndef TESTS_RPC_WILD_H
#define TESTS_RPC_WILD_H

#include "tests/lib/test.h"

#include <uv.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    FRAME_HEAD = 9,
    FRAME_MAX = 16384,
    TEXT_MAX = 126, /* One byte of length in HPACK: 127 says that more follow. */
};

enum { DATA, HEADERS, RST_STREAM = 3, SETTINGS, PING = 6, GOAWAY, WINDOW_UPDATE };
enum { NO_FLAGS, END_STREAM = 1, ACK = 1, END_HEADERS = 4 };

struct frame {
    uint8_t type;
    uint32_t stream;
    size_t size;
    uint8_t payload[FRAME_MAX];
};

struct wild {
    uv_loop_t *loop;  /* Of whom it talks to: turned while it speaks and listens. */
    uint64_t late_ns; /* uv_hrtime() at which the test has failed. */
    int fd;
    size_t size;
    uint8_t bytes[FRAME_HEAD + FRAME_MAX];
};

static inline void turn(struct wild *w)
{
    uv_run(w->loop, UV_RUN_NOWAIT);
    assert_true(uv_hrtime() < w->late_ns);
}

static inline void run_for(struct wild *w, unsigned ms)
{
    uint64_t until = uv_hrtime() + UINT64_C(1000000) * ms;
    while (uv_hrtime() < until) {
        turn(w);
        usleep(500);
    }
}

/* ---- sockets ---- */

static inline struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
}

static inline int dial(int port)
{
    int small = 4096;
    int yes = 1;
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

/* False: the other side has hung up. */
static inline bool say(struct wild *w, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = send(w->fd, (const uint8_t *)data + done, size - done, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) {
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
        turn(w);
    }
    return true;
}

/* *out holds FRAME_HEAD + FRAME_MAX bytes; returns how many it is. */
static inline size_t put_frame(const struct frame *frame, uint8_t flags, uint8_t *out)
{
    const uint8_t head[FRAME_HEAD] = {(uint8_t)(frame->size >> 16), (uint8_t)(frame->size >> 8),
        (uint8_t)frame->size, frame->type, flags, (uint8_t)(frame->stream >> 24),
        (uint8_t)(frame->stream >> 16), (uint8_t)(frame->stream >> 8), (uint8_t)frame->stream};
    memcpy(out, head, FRAME_HEAD);
    memcpy(out + FRAME_HEAD, frame->payload, frame->size);
    return FRAME_HEAD + frame->size;
}

static inline bool say_frame(struct wild *w, const struct frame *frame, uint8_t flags)
{
    uint8_t bytes[FRAME_HEAD + FRAME_MAX];
    return say(w, bytes, put_frame(frame, flags, bytes));
}

/* False: the other side has hung up. */
static inline bool hear_next(struct wild *w, struct frame *frame)
{
    for (;;) {
        size_t whole = FRAME_HEAD + ((size_t)w->bytes[1] << 8 | w->bytes[2]);
        if (w->size >= FRAME_HEAD && w->size >= whole) {
            frame->type = w->bytes[3];
            frame->stream = (uint32_t)w->bytes[7] << 8 | w->bytes[8];
            frame->size = whole - FRAME_HEAD;
            memcpy(frame->payload, w->bytes + FRAME_HEAD, frame->size);
            w->size -= whole;
            memmove(w->bytes, w->bytes + whole, w->size);
            return true;
        }
        ssize_t n = recv(w->fd, w->bytes + w->size, sizeof w->bytes - w->size, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            return false;
        }
        w->size += n > 0 ? (size_t)n : 0;
        turn(w);
    }
}

/* False: the other side has hung up before such a frame came; others are passed over. */
static inline bool hear(struct wild *w, uint8_t type, struct frame *frame)
{
    bool heard;
    do {
        heard = hear_next(w, frame);
    } while (heard && frame->type != type);
    return heard;
}

/* ---- words ---- */

static inline void put_text(struct frame *frame, const char *text)
{
    size_t size = strlen(text);
    assert_true(size <= TEXT_MAX);
    frame->payload[frame->size++] = (uint8_t)size;
    memcpy(frame->payload + frame->size, text, size);
    frame->size += size;
}

static inline void put_header(struct frame *frame, const char *name, const char *value)
{
    frame->payload[frame->size++] = 0; /* Literal, not indexed. */
    put_text(frame, name);
    put_text(frame, value);
}

static inline void put_u32(struct frame *frame, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        frame->payload[frame->size++] = (uint8_t)(value >> shift);
    }
}

static inline void put_setting(struct frame *frame, uint8_t id, uint32_t value)
{
    frame->payload[frame->size++] = 0;
    frame->payload[frame->size++] = id;
    put_u32(frame, value);
}

/* A client's first words; window is that of each stream. */
static inline void greet(struct wild *w, int port, uint32_t window)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    enum { INITIAL_WINDOW_SIZE = 4, CONNECTION = 1 << 30 };
    struct frame settings = {.type = SETTINGS};
    struct frame update = {.type = WINDOW_UPDATE};
    put_setting(&settings, INITIAL_WINDOW_SIZE, window);
    put_u32(&update, CONNECTION);
    w->fd = dial(port);
    assert_true(say(w, preface, sizeof preface - 1));
    assert_true(say_frame(w, &settings, NO_FLAGS));
    assert_true(say_frame(w, &update, NO_FLAGS));
}

/* ---- requests ---- */

struct request {
    const char *path;
    const char *method;  /* NULL: POST. */
    const char *type;    /* NULL: application/grpc. */
    const char *timeout; /* NULL: none. */
    bool end;            /* There is no body. */
};

static inline bool say_request(struct wild *w, uint32_t stream, const struct request *r)
{
    struct frame frame = {.type = HEADERS, .stream = stream};
    put_header(&frame, ":method", r->method != NULL ? r->method : "POST");
    put_header(&frame, ":scheme", "http");
    put_header(&frame, ":path", r->path);
    put_header(&frame, ":authority", "t");
    put_header(&frame, "content-type", r->type != NULL ? r->type : "application/grpc");
    if (r->timeout != NULL) {
        put_header(&frame, "grpc-timeout", r->timeout);
    }
    return say_frame(w, &frame, (uint8_t)(END_HEADERS | (r->end ? END_STREAM : 0)));
}

/* timeout may be NULL. */
static inline bool request(struct wild *w, uint32_t stream, const char *path, const char *timeout)
{
    const struct request r = {.path = path, .timeout = timeout};
    return say_request(w, stream, &r);
}

/* An empty message, and the end. */
static inline bool message(struct wild *w, uint32_t stream)
{
    struct frame frame = {.type = DATA, .stream = stream, .size = 5};
    return say_frame(w, &frame, END_STREAM);
}

#endif
