import { ControlLine } from './control-line.js';
import { Crowd } from './crowd.js';
import type { Job, PhaseResult, WorkloadResult } from './job.js';
import { runPhase } from './phases.js';
import { Tally } from './tally.js';
import { Turns } from './turns.js';
import { Venue } from './venue.js';

async function run(job: Job): Promise<WorkloadResult> {
  const tally = new Tally();
  const lines = await Promise.all(job.controls.map((port) => ControlLine.open(port)));
  const turns = new Turns(() => tally.reads);
  const crowd = new Crowd(job, lines, tally);
  const gathered = await crowd.gather();
  const instruments = { lines, tally, turns };
  const venue = new Venue(job, crowd, instruments);
  const phases: PhaseResult[] = [];
  for (const phase of job.workload.phases) {
    const result = await crowd.during(runPhase(phase, job, crowd, venue, instruments));
    if (result) phases.push(result);
    if (result?.lost) break;
  }
  const leaveCpuMicros = await crowd.leave();
  turns.stop();
  for (const line of lines) line.close();
  return { crowd: { ...gathered, leaveCpuMicros }, phases };
}

process.on('message', (job: Job) => {
  run(job).then(
    (result) => process.send!({ result }),
    (error: unknown) => process.send!({ error: String((error as Error)?.stack ?? error) }),
  );
});
// The parent process has ended, or needs this one no longer.
process.on('disconnect', () => process.exit(0));
process.send!('ready');
