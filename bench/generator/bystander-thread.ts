import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { Bystander } from './bystander.js';
import type { BystanderTask, Waits } from './bystander-line.js';
import { Client } from './client.js';
import { Tally } from './tally.js';

/** How long it may take until the last answer has come, in milliseconds. */
const PATIENCE_MS = 60_000;

const { number, port, dialect, question, token } = workerData as BystanderTask;
const fail = (error: Error) => {
  throw error;
};
const client = new Client(number, port, dialect, new Tally(), fail);
const bystander = new Bystander(client, question);
let isAsking = false;

await client.enter(token);
client.settle();
client.listen((text) => void bystander.hear(text, performance.now()));

const ask = (): void => {
  if (!isAsking) return;
  bystander.ask(performance.now());
  setTimeout(ask, 1);
};

async function end(): Promise<Waits> {
  isAsking = false;
  const deadline = performance.now() + PATIENCE_MS;
  while (!bystander.isAnswered) {
    if (performance.now() > deadline) throw new Error('The bystander was not answered.');
    await pause(1);
  }
  const percentile = (part: number) => bystander.latency.percentile(part) ?? 0;
  return { p50: percentile(0.5), p90: percentile(0.9), p99: percentile(0.99) };
}

parentPort!.on('message', (word: 'begin' | 'end' | 'leave') => {
  if (word === 'leave') {
    client.leave();
    parentPort!.close();
  } else if (word === 'begin') {
    isAsking = true;
    bystander.begin(performance.now());
    ask();
  } else void end().then((waits) => parentPort!.postMessage(waits), fail);
});
parentPort!.postMessage('entered');
