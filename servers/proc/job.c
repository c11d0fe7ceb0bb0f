/* Jobs: job.h. A job lives while a process or another job names it. */
#include <stdlib.h>
#include "carillon/process_protocol.h"
#include "job.h"

#define DEPTH_MAX 16u /* as budgets have it; below, children stay in their parent's job */
#define KEPT 16u      /* a job leaves such a part to the one above */

struct job {
	struct job *above;
	uint32_t references;
	uint32_t count, limit; /* processes, those of jobs below included */
	uint32_t depth;
};

static uint32_t most = PROCESS_SLOTS;

void job_limit(uint64_t processes)
{
	most = processes < PROCESS_SLOTS ? (uint32_t)processes : PROCESS_SLOTS;
}

static void unref(struct job *job)
{
	while (job && !--job->references) {
		struct job *above = job->above;
		free(job);
		job = above;
	}
}

static struct job *begin(struct job *above)
{
	struct job *job = calloc(1, sizeof *job);
	if (!job)
		return NULL;
	uint32_t limit = above ? above->limit : most;
	job->limit = limit - limit / KEPT;
	job->depth = above ? above->depth + 1 : 1;
	job->above = above;
	if (above)
		above->references++;
	return job;
}

bool job_enter(struct job *job, bool begins_job, struct job **joined)
{
	for (struct job *at = job; at; at = at->above)
		if (at->count >= at->limit)
			return false;
	if (begins_job && (!job || job->depth < DEPTH_MAX)) {
		job = begin(job);
		if (!job)
			return false;
	}
	if (job)
		job->references++;
	for (struct job *at = job; at; at = at->above)
		at->count++;
	*joined = job;
	return true;
}

void job_leave(struct job *job)
{
	for (struct job *at = job; at; at = at->above)
		at->count--;
	unref(job);
}
