/**
 * The address of a server or a sentinel.
 * @publicApi
 */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** The report of one sentinel on the master. */
export interface MasterReport {
  readonly address: HostPort;
  /** Grows with each failover: of two reports, the one with the greater epoch is newer. */
  readonly configEpoch: number;
}

/**
 * Reads what a sentinel replies. The address is not taken from `SENTINEL MASTER`: there the sentinel that leads a failover still
 * names the old master, under the new epoch, until the other replicas have been moved.
 * @param address the reply to `SENTINEL GET-MASTER-ADDR-BY-NAME`
 * @param fields the reply to `SENTINEL MASTER`: a map, or a list of names and values in turn
 * @returns undefined if there is no address
 */
export function masterReportIn(address: unknown, fields: unknown): MasterReport | undefined {
  if (!Array.isArray(address)) return undefined;
  const [host, port] = [String(address[0] ?? ''), Number(address[1])];
  if (host === '' || !Number.isInteger(port) || port < 1) return undefined;
  return { address: { host, port }, configEpoch: Number(fieldsOf(fields).get('config-epoch') ?? 0) || 0 };
}

/** The newest report: a sentinel that was cut off still names the master of an earlier epoch. */
export function newestOf(reports: readonly MasterReport[]): MasterReport | undefined {
  let newest: MasterReport | undefined;
  for (const report of reports) if (newest === undefined || report.configEpoch > newest.configEpoch) newest = report;
  return newest;
}

/**
 * True for a report that must not replace the master in use: it is from before the failover that made this one the master, and the
 * sentinels that know of it have not answered. Once the master in use is gone, any report counts: sentinels that were set up
 * anew begin with epoch 0.
 * @param isAttached whether the master in use is attached
 */
export function isOutdated(report: MasterReport, inUse: MasterReport | undefined, isAttached: boolean): boolean {
  return isAttached && inUse !== undefined && report.configEpoch < inUse.configEpoch;
}

function fieldsOf(reply: unknown): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  if (Array.isArray(reply)) {
    for (let index = 0; index + 1 < reply.length; index += 2)
      fields.set(String(reply[index]), String(reply[index + 1]));
  } else if (typeof reply === 'object' && reply !== null) {
    const entries = reply instanceof Map ? reply.entries() : Object.entries(reply);
    for (const [name, value] of entries) fields.set(String(name), String(value));
  }
  return fields;
}
