#include "rpc/http2_private.h"

#include <assert.h>
#include <stdlib.h>

struct http2_stream *http2_stream_create(void *user)
{
    struct http2_stream *stream = calloc(1, sizeof *stream);
    if (stream != NULL) {
        stream->user = user;
    }
    return stream;
}

struct http2_stream *http2_stream_attach(struct http2_connection *c, int32_t id)
{
    struct http2_stream *stream = http2_stream_create(NULL);
    if (stream != NULL) {
        stream->connection = c;
        stream->id = id;
        LIST_INSERT_HEAD(&c->streams, stream, link);
    }
    return stream;
}

/* The queue held so many bytes before. */
static void account(const struct http2_stream *stream, size_t before)
{
    size_t *held = stream->connection == NULL ? NULL : stream->connection->options.held;
    if (held != NULL) {
        assert(*held >= before);
        *held += stream->queue.capacity - before;
    }
}

static void drop_queue(struct http2_stream *stream)
{
    size_t before = stream->queue.capacity;
    buffer_deinit(&stream->queue);
    account(stream, before);
}

void http2_stream_free(struct http2_stream *stream)
{
    struct http2_connection *c = stream->connection;
    drop_queue(stream);
    if (c != NULL) {
        if (stream->drained) {
            TAILQ_REMOVE(&c->drained, stream, drained_link);
        }
        LIST_REMOVE(stream, link);
    }
    free(stream->trailer_memory);
    free(stream);
}

void http2_stream_destroy(struct http2_stream *stream)
{
    if (stream != NULL) {
        assert(stream->connection == NULL);
        http2_stream_free(stream);
    }
}

/* The signature is nghttp2's. */
/* NOLINTNEXTLINE(readability-function-size) */
static ssize_t read_queue(nghttp2_session *session, int32_t id, uint8_t *out, size_t size,
    uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct http2_connection *c = user;
    struct http2_stream *stream = source->ptr;
    struct bytes queued = buffer_bytes(&stream->queue);
    if (queued.size == 0 && !stream->finished) {
        stream->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    size_t taken = queued.size < size ? queued.size : size;
    if (taken > 0) {
        memcpy(out, queued.data, taken);
        buffer_consume(&stream->queue, taken);
    }
    if (stream->finished && taken == queued.size) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (stream->trailer_count > 0) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            /* Only from here: trailers that are submitted earlier overtake the body. */
            if (nghttp2_submit_trailer(session, id, stream->trailers, stream->trailer_count) != 0) {
                return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
            }
        }
    } else if (stream->full && stream->queue.size <= HTTP2_QUEUE_LOW && !stream->drained) {
        /* Told later, when nghttp2 is not on the stack. */
        stream->drained = true;
        TAILQ_INSERT_TAIL(&c->drained, stream, drained_link);
    }
    return (ssize_t)taken;
}

int http2_stream_open(struct http2_stream *stream, struct http2_connection *connection,
    const nghttp2_nv *headers, size_t count)
{
    assert(stream->connection == NULL && !connection->options.server);
    if (connection->state != HTTP2_OPEN || connection->doomed ||
        connection->drain != HTTP2_NOT_DRAINING) {
        return STATUS_UNAVAILABLE;
    }
    nghttp2_data_provider provider = {.source.ptr = stream, .read_callback = read_queue};
    int32_t id =
        nghttp2_submit_request(connection->session, NULL, headers, count, &provider, stream);
    if (id == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE) {
        http2_doom(connection, "all the numbers that a connection has for calls are used up");
    }
    if (id < 0) {
        return STATUS_UNAVAILABLE;
    }
    stream->id = id;
    stream->connection = connection;
    LIST_INSERT_HEAD(&connection->streams, stream, link);
    http2_wake(connection);
    return STATUS_OK;
}

bool http2_stream_was_sent(const struct http2_stream *stream)
{
    return stream->sent;
}

int http2_stream_respond(
    struct http2_stream *stream, const nghttp2_nv *headers, size_t count, bool end)
{
    nghttp2_data_provider provider = {.source.ptr = stream, .read_callback = read_queue};
    int error = nghttp2_submit_response(
        stream->connection->session, stream->id, headers, count, end ? NULL : &provider);
    if (error != 0) {
        return error == NGHTTP2_ERR_NOMEM ? STATUS_NO_MEMORY : STATUS_INTERNAL;
    }
    http2_wake(stream->connection);
    return STATUS_OK;
}

/* A stream whose queue ran dry is not asked again until it is resumed. */
static void resume(struct http2_stream *stream)
{
    if (stream->connection == NULL) {
        return;
    }
    if (stream->deferred) {
        stream->deferred = false;
        (void)nghttp2_session_resume_data(stream->connection->session, stream->id);
    }
    http2_wake(stream->connection);
}

uint8_t *http2_stream_reserve(struct http2_stream *stream, size_t size)
{
    size_t before = stream->queue.capacity;
    uint8_t *room = buffer_reserve(&stream->queue, size);
    account(stream, before);
    return room;
}

void http2_stream_commit(struct http2_stream *stream, size_t size)
{
    assert(!stream->finished);
    buffer_commit(&stream->queue, size);
    stream->full = stream->full || stream->queue.size >= HTTP2_QUEUE_HIGH;
    resume(stream);
}

bool http2_stream_writable(const struct http2_stream *stream)
{
    return !stream->full;
}

size_t http2_stream_unsent(const struct http2_stream *stream)
{
    return stream->queue.size;
}

/* nghttp2 copies trailers only when they are submitted, long after our caller is gone. */
static int keep_trailers(struct http2_stream *stream, const nghttp2_nv *trailers, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += trailers[i].namelen + trailers[i].valuelen;
    }
    uint8_t *end = malloc(size);
    if (end == NULL) {
        return STATUS_NO_MEMORY;
    }
    stream->trailer_memory = (char *)end;
    for (size_t i = 0; i < count; i++) {
        stream->trailers[i] = trailers[i];
        stream->trailers[i].name = end;
        memcpy(end, trailers[i].name, trailers[i].namelen);
        end += trailers[i].namelen;
        stream->trailers[i].value = end;
        memcpy(end, trailers[i].value, trailers[i].valuelen);
        end += trailers[i].valuelen;
    }
    stream->trailer_count = count;
    return STATUS_OK;
}

int http2_stream_finish(struct http2_stream *stream, const nghttp2_nv *trailers, size_t count)
{
    assert(!stream->finished && count <= HTTP2_TRAILERS_MAX);
    if (count > 0) {
        int status = keep_trailers(stream, trailers, count);
        if (status != STATUS_OK) {
            return status;
        }
    }
    stream->finished = true;
    resume(stream);
    return STATUS_OK;
}

void http2_stream_abandon(struct http2_stream *stream, uint32_t error)
{
    struct http2_connection *c = stream->connection;
    assert(c != NULL);
    stream->user = NULL;
    drop_queue(stream);
    (void)nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, stream->id, error);
    http2_wake(c);
}

void http2_stream_consume(struct http2_stream *stream, size_t size)
{
    if (size > 0) {
        (void)nghttp2_session_consume_stream(stream->connection->session, stream->id, size);
        http2_wake(stream->connection);
    }
}
