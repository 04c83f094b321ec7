import type { Absence, Find, RunRecord, Sending, Visit } from './record.js';

/** How long a client that is written to may take to notice that its connection has ended, in milliseconds. */
const NOTICED_MS = 12_000;

/**
 * The least part of its lease for which a node that is cut off is still counted as there. It refreshes its lease four times in each
 * (`leaseRefreshMs` in run.ts), so at the cut less than a quarter is used up, and three quarters are left. If the lease is lost with the data
 * instead, other nodes wait for it for `leaseTtlMs` less `leaseRefreshMs` from when they notice, which are three quarters, too. The
 * rest, 0.15 or 450 ms of a lease of 3 s, is for a refresh that was late on a busy machine. A refresh is skipped only while the one
 * before is unanswered, for 750 ms: that takes another fault, which is an absence of its own.
 */
const LEAST_LEASE = 0.6;

/**
 * Every connection gets at most one copy, in the order of each publisher, and reports say what arrived. A publisher whose node ended may have a
 * call that was not complete overtaken by its calls of the next node: a server that was halted may carry it out when it goes on.
 */
export function checkFeed(record: RunRecord, find: Find): void {
  const sendings = new Map(record.sendings.map((sending) => [sending.key, sending]));
  const copies = new Map<string, Set<Visit>>();
  for (const visit of record.visits) {
    const highest = new Map<string | number, number>();
    for (const key of visit.arrivals) {
      const sending = sendings.get(key);
      if (!sending) {
        find('contradicted', `${key} to ${visit.client}: nobody has sent it`);
        continue;
      }
      const holders = copies.get(key) ?? new Set();
      copies.set(key, holders);
      // Each node has one publisher.
      const before = highest.get(sending.report?.complete ? sending.publisher : sending.node) ?? -1;
      if (holders.has(visit)) find('duplicated', `${key} to ${visit.client}`, sending.begun);
      else if (sending.number < before) find('reordered', `${key} to ${visit.client}`, sending.begun);
      holders.add(visit);
      for (const whose of [sending.publisher, sending.node])
        highest.set(whose, Math.max(sending.number, highest.get(whose) ?? -1));
    }
  }
  for (const sending of record.sendings) checkReport(sending, copies.get(sending.key) ?? new Set(), record, find);
}

function checkReport(sending: Sending, holders: ReadonlySet<Visit>, record: RunRecord, find: Find): void {
  const { key, report, begun, ended } = sending;
  if (!report) return;
  const others = record.visits.filter((visit) => !holders.has(visit));
  const said = `${key}: ${report.recipients} recipients, ${report.complete ? 'complete' : 'incomplete'}`;
  if (report.complete && report.recipients < holders.size) {
    find('untrue report', `${said}, but ${holders.size} have it`, begun);
  }
  // What was written to a connection that has ended since may not have arrived.
  const mayHave = others.filter(
    ({ asked, closed }) => asked <= ended && closed !== undefined && closed >= begun && closed <= ended + NOTICED_MS,
  );
  if (report.recipients > holders.size + mayHave.length) {
    find('untrue report', `${said}, but only ${holders.size} have it, and ${mayHave.length} more may`, begun);
  }
  if (!report.complete) return;
  for (const { client, node, opened, closed } of others) {
    if (opened === undefined || opened > begun || (closed !== undefined && closed <= ended + NOTICED_MS)) continue;
    const hasNoLease = record.absences.some(
      (absence) => absence.node === node && coversLease(absence, sending, record.leaseMs),
    );
    if (!hasNoLease)
      find('untrue report', `${said}, but ${client} on node ${node} was there and does not have it`, begun);
  }
}

/**
 * True when the node had been away for so long that its lease may have run out: it was not counted as there any more. Clients of a node
 * that is cut off for longer are not in the report, which is complete without them, as README says.
 */
function coversLease({ from, to }: Absence, { begun, ended }: Sending, leaseMs: number): boolean {
  return ended >= from + leaseMs * LEAST_LEASE && begun <= to;
}
