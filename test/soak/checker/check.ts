import { judge } from '../../resuming/verdict.js';
import { checkFeed } from './check-feed.js';
import { checkHooks } from './check-hooks.js';
import { checkInfos } from './check-infos.js';
import { checkNodesWithoutClients, checkServersWithoutNodes } from './check-leftovers.js';
import { checkOrders } from './check-orders.js';
import { checkPresence } from './check-presence.js';
import type { Find, Finding, Kind, RunRecord } from './record.js';

/** Finds every guarantee that did not hold in a run, from what was written down. Deterministic. */
export function check(record: RunRecord): readonly Finding[] {
  const findings: Finding[] = [];
  const find: Find = (kind, what, at) => void findings.push({ kind, what, ...(at !== undefined && { at }) });
  checkLogs(record, find);
  checkRepetitions(record, find);
  checkFeed(record, find);
  checkOrders(record, find);
  checkPresence(record, find);
  checkInfos(record, find);
  checkHooks(record, find);
  checkNodesWithoutClients(record.withoutClients, find);
  checkServersWithoutNodes(record.withoutNodes, find);
  for (const { what, at } of record.breaks) find('broken', what, at);
  return findings;
}

function checkLogs({ logs }: RunRecord, find: Find): void {
  for (const [topic, records] of logs) {
    const begun = new Map(records.statements.map((statement) => [statement.key, statement.begun]));
    for (const [kind, found] of Object.entries(judge(records).violations)) {
      for (const what of found)
        find(kind as Kind, `${topic}: ${what}`, begun.get(/^[a-z]+-\d+-\d+/.exec(what)?.[0] ?? ''));
    }
  }
}

/** A key that is known has the position of its first publication, as long as the epoch is the same. */
function checkRepetitions({ repetitions }: RunRecord, find: Find): void {
  for (const { key, first, again, at } of repetitions) {
    if (first.epoch === again.epoch && first.offset !== again.offset) {
      find('key used twice', `${key} at ${first.offset} and ${again.offset} of ${first.epoch}`, at);
    }
  }
}
