const list = document.querySelector('#jobs');
const template = document.querySelector('#job');

/** Moves the job's progress bar; the first progress of a job makes the bar. */
export function drawJob({ payload: { jobId, percent } }) {
  let job = list.querySelector(`[data-job-id="${CSS.escape(jobId)}"]`);
  if (!job) {
    job = template.content.firstElementChild.cloneNode(true);
    job.dataset.jobId = jobId;
    list.prepend(job);
  }
  job.querySelector('progress').value = percent;
  job.querySelector('output').textContent = `${percent} %`;
  job.toggleAttribute('data-done', percent === 100);
}

/** The progress in one line. */
export function describeJob({ jobId, percent }) {
  return `Job ${jobId.slice(0, 4)}: ${percent} %`;
}

/** Jobs report to a connection: when it is gone, the ones under way will say no more. */
export function loseJobs() {
  for (const job of list.querySelectorAll('li:not([data-done])')) job.dataset.lost = '';
}
