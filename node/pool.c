#include "node/pool.h"

#include <assert.h>

static void on_run(uv_work_t *work)
{
    struct pool_job *job = work->data;
    job->run(job);
}

static void on_done(uv_work_t *work, int rc)
{
    struct pool_job *job = work->data;
    assert(rc == 0); /* Nothing cancels. */
    (void)rc;
    job->pool->running--;
    job->done(job);
}

void pool_give(struct pool *pool, struct pool_job *job)
{
    job->pool = pool;
    job->work.data = job;
    pool->running++;
    int rc = uv_queue_work(pool->loop, &job->work, on_run, on_done);
    assert(rc == 0); /* It knows no failure but a missing function. */
    (void)rc;
}
