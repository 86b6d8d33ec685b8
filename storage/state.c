#include "storage/state.h"

#include "proto/integer.h"
#include "storage/crc32c.h"
#include "storage/damage.h"
#include "storage/directory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FORMAT = 1,
    AT_MAGIC = 0,
    AT_FORMAT = 8,
    AT_GROUP = 12,
    AT_SEQUENCE = 16,
    AT_CLUSTER = 24,
    AT_EPOCH = 40,
    AT_DIRECTORY = 48,
    AT_NODE = 64,
    AT_TERM = 72,
    AT_VOTE = 80,
    AT_CRC = STATE_SLOT_SIZE - 4,
};

static const uint8_t magic[8] = "zhurnal";

/* ---- a slot ---- */

static uint64_t slot_of(uint64_t sequence)
{
    assert(sequence > 0);
    return (sequence - 1) % STATE_SLOTS;
}

static void encode_slot(const struct state *state, uint8_t slot[STATE_SLOT_SIZE])
{
    memset(slot, 0, STATE_SLOT_SIZE);
    memcpy(slot + AT_MAGIC, magic, sizeof magic);
    put_u32_le(slot + AT_FORMAT, FORMAT);
    put_u32_le(slot + AT_GROUP, state->identity.group);
    put_u64_le(slot + AT_SEQUENCE, state->sequence);
    memcpy(slot + AT_CLUSTER, state->identity.cluster, UUID_SIZE);
    put_u64_le(slot + AT_EPOCH, state->identity.epoch);
    memcpy(slot + AT_DIRECTORY, state->identity.directory, UUID_SIZE);
    put_u64_le(slot + AT_NODE, state->identity.node);
    put_u64_le(slot + AT_TERM, state->term);
    put_u64_le(slot + AT_VOTE, state->vote);
    put_u32_le(slot + AT_CRC, crc32c(0, slot, AT_CRC));
}

/* STATUS_CORRUPT unless the slot is whole and stands where its sequence puts it;
 * STATUS_UNIMPLEMENTED where it is whole and of another format. */
static int decode_slot(const uint8_t slot[STATE_SLOT_SIZE], uint64_t number, struct state *state)
{
    uint64_t sequence = get_u64_le(slot + AT_SEQUENCE);
    if (get_u32_le(slot + AT_CRC) != crc32c(0, slot, AT_CRC) ||
        memcmp(slot + AT_MAGIC, magic, sizeof magic) != 0) {
        return STATUS_CORRUPT;
    }
    if (get_u32_le(slot + AT_FORMAT) != FORMAT) {
        return STATUS_UNIMPLEMENTED;
    }
    if (sequence == 0 || slot_of(sequence) != number) {
        return STATUS_CORRUPT;
    }
    state->sequence = sequence;
    state->identity.group = get_u32_le(slot + AT_GROUP);
    memcpy(state->identity.cluster, slot + AT_CLUSTER, UUID_SIZE);
    state->identity.epoch = get_u64_le(slot + AT_EPOCH);
    memcpy(state->identity.directory, slot + AT_DIRECTORY, UUID_SIZE);
    state->identity.node = get_u64_le(slot + AT_NODE);
    state->term = get_u64_le(slot + AT_TERM);
    state->vote = get_u64_le(slot + AT_VOTE);
    return STATUS_OK;
}

static int write_slot(struct state *state)
{
    uint8_t slot[STATE_SLOT_SIZE];
    encode_slot(state, slot);
    const struct state_io *io = &state->io;
    int status = io->write(io->arg, slot_of(state->sequence) * STATE_SLOT_SIZE, slot, sizeof slot);
    return status == STATUS_OK ? io->flush(io->arg) : status;
}

/* ---- over any io ---- */

int state_format(struct state *state, const struct state_io *io,
    const struct state_identity *identity, uint64_t term)
{
    static const uint8_t zeros[STATE_SLOT_SIZE];
    *state =
        (struct state){.io = *io, .fd = -1, .identity = *identity, .term = term, .sequence = 1};
    for (uint64_t i = 0; i < STATE_SLOTS; i++) {
        int status = io->write(io->arg, i * STATE_SLOT_SIZE, zeros, sizeof zeros);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return write_slot(state);
}

static int read_newest(struct state *state, const struct state_io *io)
{
    *state = (struct state){.io = *io, .fd = -1};
    struct state newest = *state;
    for (uint64_t i = 0; i < STATE_SLOTS; i++) {
        uint8_t slot[STATE_SLOT_SIZE];
        int status = io->read(io->arg, i * STATE_SLOT_SIZE, slot, sizeof slot);
        if (status != STATUS_OK) {
            return status;
        }
        status = decode_slot(slot, i, state);
        if (status == STATUS_UNIMPLEMENTED) {
            return status; /* Beside a newer promise the other slot's is worth nothing. */
        }
        if (status == STATUS_OK && state->sequence > newest.sequence) {
            newest = *state;
        }
    }
    *state = newest;
    return state->sequence > 0 ? STATUS_OK : STATUS_CORRUPT;
}

int state_load(struct state *state, const struct state_io *io)
{
    int status = read_newest(state, io);
    return status == STATUS_OK ? state_save(state, state->term, state->vote) : status;
}

int state_save(struct state *state, uint64_t term, uint64_t vote)
{
    assert(state->sequence > 0);
    assert(term >= state->term);
    assert(term > state->term || state->vote == 0 || vote == state->vote);

    state->term = term;
    state->vote = vote;
    state->sequence++;
    return write_slot(state);
}

/* ---- over a file ---- */

static int file_read(void *arg, uint64_t offset, void *data, size_t size)
{
    const int *fd = arg;
    ssize_t n;
    do {
        n = pread(*fd, data, size, (off_t)offset);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return STATUS_IO;
    }
    return (size_t)n == size ? STATUS_OK : STATUS_CORRUPT; /* Shorter than it was made. */
}

static int file_write(void *arg, uint64_t offset, const void *data, size_t size)
{
    const int *fd = arg;
    ssize_t n;
    do {
        n = pwrite(*fd, data, size, (off_t)offset);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == ENOSPC || errno == EDQUOT)) {
        return STATUS_FULL;
    }
    return n >= 0 && (size_t)n == size ? STATUS_OK : STATUS_IO;
}

static int file_flush(void *arg)
{
    const int *fd = arg;
    return fdatasync(*fd) == 0 ? STATUS_OK : STATUS_IO;
}

static struct state_io file_io(int *fd)
{
    return (struct state_io){
        .read = file_read, .write = file_write, .flush = file_flush, .arg = fd};
}

static int write_new_file(const char *path, const struct state_identity *identity, uint64_t term)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno == ENOSPC || errno == EDQUOT ? STATUS_FULL : STATUS_IO;
    }
    struct state_io io = file_io(&fd);
    struct state state;
    int status = state_format(&state, &io, identity, term);
    if (status == STATUS_OK && fsync(fd) != 0) {
        status = STATUS_IO;
    }
    (void)close(fd);
    return status;
}

static int fresh_path(char fresh[DIRECTORY_PATH_SIZE], const char *path, struct error *err)
{
    int n = snprintf(fresh, DIRECTORY_PATH_SIZE, "%s.new", path);
    return n >= 0 && n < DIRECTORY_PATH_SIZE
        ? STATUS_OK
        : error_set(err, STATUS_TOO_LARGE, "the path is too long: %s", path);
}

int state_prepare(
    const char *path, const struct state_identity *identity, uint64_t term, struct error *err)
{
    char fresh[DIRECTORY_PATH_SIZE];
    int status = fresh_path(fresh, path, err);
    if (status != STATUS_OK) {
        return status;
    }
    status = write_new_file(fresh, identity, term);
    if (status == STATUS_OK) {
        status = directory_sync_parent(fresh);
    }
    return status == STATUS_OK
        ? STATUS_OK
        : error_set(err, status, "cannot make %s: %s", fresh, strerrordesc_np(errno));
}

int state_install(const char *path, struct error *err)
{
    char fresh[DIRECTORY_PATH_SIZE];
    struct stat st;
    int status = fresh_path(fresh, path, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (lstat(path, &st) == 0) {
        return error_set(err, STATUS_EXISTS, "%s is there already", path);
    }
    if (rename(fresh, path) != 0) {
        return error_set(err, STATUS_IO, "cannot make %s: %s", path, strerrordesc_np(errno));
    }
    status = directory_sync_parent(path);
    if (status != STATUS_OK) {
        error_set(err, status, "cannot flush %s: %s", path, strerrordesc_np(errno));
        (void)rename(path, fresh);
    }
    return status;
}

static void refuse(const char *path, int status, struct error *err)
{
    switch (status) {
    case STATUS_CORRUPT:
        error_set(err, status, "%s does not verify: what this node promised is lost. %s", path,
            DAMAGE_ADVICE);
        break;
    case STATUS_UNIMPLEMENTED:
        error_set(err, status, "%s was written by a newer zhurnald: install that", path);
        break;
    default:
        error_set(err, status, "cannot load %s: %s. Restart the node when the disk works", path,
            status_text(status));
        break;
    }
}

int state_open(struct state *state, const char *path, struct error *err)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        *state = (struct state){.fd = -1};
        int status = errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
        return error_set(err, status, "cannot open %s: %s", path, strerrordesc_np(errno));
    }
    struct state_io io = file_io(&fd);
    int status = state_load(state, &io);
    if (status == STATUS_OK) {
        status = directory_sync_parent(path); /* As with its bytes, so with its name. */
    }
    state->fd = fd;
    state->io = file_io(&state->fd);
    if (status != STATUS_OK) {
        state_close(state);
        refuse(path, status, err);
    }
    return status;
}

void state_close(struct state *state)
{
    if (state->fd >= 0) {
        (void)close(state->fd);
        state->fd = -1;
    }
}

int state_identify(const char *path, struct state_identity *identity)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    }
    struct state_io io = file_io(&fd);
    struct state state;
    int status = read_newest(&state, &io);
    *identity = state.identity;
    (void)close(fd);
    return status;
}
