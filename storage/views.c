#include "storage/views.h"

#include "proto/integer.h"
#include "storage/crc32c.h"

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
    AT_SCHEMA = 12,
    AT_DEVICE = 16,
    AT_INODE = 24,
    AT_CLEAN = 32,
    AT_BOOT_ID = 36,
    AT_CRC = AT_BOOT_ID + VIEWS_BOOT_ID_SIZE,
    STAMP_SIZE = AT_CRC + 4,
};

static const uint8_t magic[8] = "zhviews";
static const struct bytes index_key = {.data = (const uint8_t *)"index", .size = 5};

/* What the stamp says of a file. */
struct stamp {
    uint32_t schema;
    uint64_t device, inode;
    bool clean;
    char boot_id[VIEWS_BOOT_ID_SIZE];
};

/* ---- the stamp ---- */

/* False where the file is not there. */
static bool identify(const struct views *views, struct stamp *stamp)
{
    char path[DIRECTORY_PATH_SIZE];
    struct stat st;
    if (directory_join(path, views->path, "data.mdb") != STATUS_OK || stat(path, &st) != 0) {
        return false;
    }
    *stamp = (struct stamp){.schema = views->schema, .device = st.st_dev, .inode = st.st_ino};
    memcpy(stamp->boot_id, views->boot_id, sizeof stamp->boot_id);
    return true;
}

static void encode_stamp(const struct stamp *stamp, uint8_t out[STAMP_SIZE])
{
    memcpy(out + AT_MAGIC, magic, sizeof magic);
    put_u32_le(out + AT_FORMAT, FORMAT);
    put_u32_le(out + AT_SCHEMA, stamp->schema);
    put_u64_le(out + AT_DEVICE, stamp->device);
    put_u64_le(out + AT_INODE, stamp->inode);
    put_u32_le(out + AT_CLEAN, stamp->clean);
    memcpy(out + AT_BOOT_ID, stamp->boot_id, sizeof stamp->boot_id);
    put_u32_le(out + AT_CRC, crc32c(0, out, AT_CRC));
}

static bool decode_stamp(const uint8_t in[STAMP_SIZE], struct stamp *stamp)
{
    if (get_u32_le(in + AT_CRC) != crc32c(0, in, AT_CRC) ||
        memcmp(in + AT_MAGIC, magic, sizeof magic) != 0 || get_u32_le(in + AT_FORMAT) != FORMAT) {
        return false;
    }
    *stamp = (struct stamp){
        .schema = get_u32_le(in + AT_SCHEMA),
        .device = get_u64_le(in + AT_DEVICE),
        .inode = get_u64_le(in + AT_INODE),
        .clean = get_u32_le(in + AT_CLEAN) == 1,
    };
    memcpy(stamp->boot_id, in + AT_BOOT_ID, sizeof stamp->boot_id);
    return true;
}

static bool read_stamp(const struct views *views, struct stamp *stamp)
{
    char path[DIRECTORY_PATH_SIZE];
    if (directory_join(path, views->path, "stamp") != STATUS_OK) {
        return false;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    uint8_t bytes[STAMP_SIZE];
    ssize_t n = read(fd, bytes, sizeof bytes);
    (void)close(fd);
    return n == STAMP_SIZE && decode_stamp(bytes, stamp);
}

static int write_file(const char *path, const uint8_t *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno == ENOSPC || errno == EDQUOT ? STATUS_FULL : STATUS_IO;
    }
    int status = STATUS_OK;
    ssize_t n = write(fd, data, size);
    if (n < 0 || (size_t)n != size || fsync(fd) != 0) {
        status = errno == ENOSPC || errno == EDQUOT ? STATUS_FULL : STATUS_IO;
    }
    (void)close(fd);
    return status;
}

/* In place of the old one, flushed, all or nothing. */
static int write_stamp(struct views *views, bool clean)
{
    char path[DIRECTORY_PATH_SIZE];
    char fresh[DIRECTORY_PATH_SIZE];
    struct stamp stamp;
    if (directory_join(path, views->path, "stamp") != STATUS_OK ||
        directory_join(fresh, views->path, "stamp.new") != STATUS_OK) {
        return STATUS_TOO_LARGE;
    }
    if (!identify(views, &stamp)) {
        return STATUS_IO;
    }
    stamp.clean = clean;
    uint8_t bytes[STAMP_SIZE];
    encode_stamp(&stamp, bytes);
    int status = write_file(fresh, bytes, sizeof bytes);
    if (status == STATUS_OK && rename(fresh, path) != 0) {
        status = STATUS_IO;
    }
    if (status == STATUS_OK) {
        status = directory_sync(views->path);
    }
    if (status == STATUS_OK) {
        views->marked = clean;
    }
    return status;
}

/* Sets views->marked. */
static bool is_trusted(struct views *views)
{
    struct stamp found;
    struct stamp now;
    if (!read_stamp(views, &found) || !identify(views, &now) || found.schema != now.schema ||
        found.device != now.device || found.inode != now.inode) {
        return false;
    }
    views->marked = found.clean;
    bool same_boot =
        now.boot_id[0] != 0 && memcmp(found.boot_id, now.boot_id, sizeof now.boot_id) == 0;
    return found.clean || same_boot;
}

/* The machine's, of this boot; empty where it cannot be known. */
static void read_boot_id(char out[VIEWS_BOOT_ID_SIZE])
{
    memset(out, 0, VIEWS_BOOT_ID_SIZE);
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    enum { DIGITS = 36 };
    if (read(fd, out, DIGITS) != DIGITS) {
        memset(out, 0, VIEWS_BOOT_ID_SIZE);
    }
    (void)close(fd);
}

/* ---- opening ---- */

static int drop(struct views *views, struct error *err)
{
    static const char *const names[] = {
        "stamp", "stamp.new", "stamp.aside", "data.mdb", "lock.mdb"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[DIRECTORY_PATH_SIZE];
        int status = directory_join(path, views->path, names[i]);
        if (status != STATUS_OK) {
            return error_set(err, status, "the path is too long: %s", views->path);
        }
        if (unlink(path) != 0 && errno != ENOENT) {
            return error_set(err, STATUS_IO, "cannot remove %s: %s", path, strerrordesc_np(errno));
        }
    }
    views->marked = false;
    return STATUS_OK;
}

static int read_index(struct views *views, uint64_t *index, struct error *err)
{
    struct txn txn;
    struct bytes value;
    *index = 0;
    txn_begin_read(&txn, &views->env);
    if (txn_get(&txn, views->stamp, index_key, &value)) {
        if (value.size == sizeof *index) {
            *index = get_u64_le(value.data);
        } else {
            txn_fail(&txn, STATUS_CORRUPT);
        }
    }
    int status = txn.status;
    txn_abort(&txn);
    return status == STATUS_OK
        ? STATUS_OK
        : error_set(err, status, "cannot read how far the views in %s are: %s", views->path,
              status_text(status));
}

static int open_env(
    struct views *views, const struct views_options *options, uint64_t *index, struct error *err)
{
    static const size_t map_size_default = (size_t)64 << 30;
    struct env_options env_options = {
        .map_size = options->map_size > 0 ? options->map_size : map_size_default,
        .tables_max = options->tables_max + 1,
    };
    int status = env_open(&views->env, views->path, &env_options, err);
    if (status == STATUS_OK) {
        status = env_table(&views->env, "stamp", &views->stamp, err);
    }
    if (status == STATUS_OK) {
        status = read_index(views, index, err);
    }
    if (status != STATUS_OK) {
        env_close(&views->env);
    }
    return status;
}

static int set_path(struct views *views, const char *path, struct error *err)
{
    size_t size = strlen(path) + 1;
    if (size > sizeof views->path) {
        return error_set(err, STATUS_TOO_LARGE, "the path is too long: %s", path);
    }
    memcpy(views->path, path, size);
    return STATUS_OK;
}

static void set_boot_id(struct views *views, const char *boot_id)
{
    if (boot_id == NULL) {
        read_boot_id(views->boot_id);
        return;
    }
    size_t size = strlen(boot_id);
    assert(size < sizeof views->boot_id);
    memcpy(views->boot_id, boot_id, size);
}

static int rename_stamp(
    const struct views *views, const char *from, const char *to, struct error *err)
{
    char here[DIRECTORY_PATH_SIZE];
    char there[DIRECTORY_PATH_SIZE];
    if (directory_join(here, views->path, from) != STATUS_OK ||
        directory_join(there, views->path, to) != STATUS_OK) {
        return error_set(err, STATUS_TOO_LARGE, "the path is too long: %s", views->path);
    }
    return rename(here, there) == 0
        ? STATUS_OK
        : error_set(err, STATUS_IO, "cannot rename %s: %s", here, strerrordesc_np(errno));
}

/* The stamp stands aside meanwhile: whom damaged pages kill finds none at the next start, and drops
 * them. It keeps what it says, the clean mark too, and needs no flush: one that a power cut leaves
 * aside costs a rebuild. */
static int open_trusted(
    struct views *views, const struct views_options *options, uint64_t *index, struct error *err)
{
    int status = rename_stamp(views, "stamp", "stamp.aside", err);
    if (status != STATUS_OK) {
        return status;
    }
    status = open_env(views, options, index, err);
    if (status == STATUS_OK) {
        status = rename_stamp(views, "stamp.aside", "stamp", err);
        if (status != STATUS_OK) {
            env_close(&views->env);
        }
    } else if (status != STATUS_CORRUPT) {
        (void)rename_stamp(views, "stamp.aside", "stamp", NULL);
    }
    return status;
}

static int open_anew(
    struct views *views, const struct views_options *options, uint64_t *index, struct error *err)
{
    int status = drop(views, err);
    return status == STATUS_OK ? open_env(views, options, index, err) : status;
}

int views_open(struct views *views, const char *path, const struct views_options *options,
    uint64_t *index, struct error *err)
{
    *views = (struct views){.schema = options->schema};
    set_boot_id(views, options->boot_id);
    int status = set_path(views, path, err);
    if (status != STATUS_OK) {
        return status;
    }
    status = is_trusted(views) ? open_trusted(views, options, index, err) : STATUS_CORRUPT;
    if (status == STATUS_CORRUPT) {
        status = open_anew(views, options, index, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    /* Where nothing was stamped the mark has nothing to keep, and tables are yet to be made. */
    if (*index == 0) {
        status = write_stamp(views, false);
    }
    if (status != STATUS_OK) {
        env_close(&views->env);
        return error_set(
            err, status, "cannot stamp the views in %s: %s", path, status_text(status));
    }
    return STATUS_OK;
}

void views_stamp(struct txn *txn, struct views *views, uint64_t index)
{
    assert(txn->env == &views->env);

    if (views->marked && txn->status == STATUS_OK) {
        txn_fail(txn, write_stamp(views, false));
    }
    uint8_t value[sizeof index];
    put_u64_le(value, index);
    txn_put(txn, views->stamp, index_key, bytes_of(value, sizeof value));
}

void views_distrust(struct views *views)
{
    char path[DIRECTORY_PATH_SIZE];
    if (directory_join(path, views->path, "stamp") == STATUS_OK && unlink(path) == 0) {
        (void)directory_sync(views->path);
    }
}

void views_close(struct views *views, bool broken)
{
    if (views->env.mdb == NULL) {
        return;
    }
    if (broken) {
        views_distrust(views);
    } else if (!views->marked && env_sync(&views->env) == STATUS_OK) {
        /* Where this fails the views are rebuilt after the next boot, no worse. */
        (void)write_stamp(views, true);
    }
    env_close(&views->env);
}
