-- Tasks of SLURM arrays; `id` is the job's id and the task's number.
CREATE TABLE tasks (
    id TEXT NOT NULL PRIMARY KEY,
    job_id TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL
);
