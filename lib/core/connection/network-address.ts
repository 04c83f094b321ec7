/** The eight groups of an IPv6 address; `undefined` for anything else. A zone (`%eth0`) is left out. */
function groupsOf(address: string): readonly number[] | undefined {
  const [text = ''] = address.split('%', 1);
  const halves = text.split('::');
  if (halves.length > 2 || !text.includes(':')) return undefined;
  const [before, after] = halves.map(groupsIn);
  if (!before || (halves.length === 2 && !after)) return undefined;
  const missing = 8 - before.length - (after?.length ?? 0);
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  return [...before, ...Array<number>(Math.max(0, missing)).fill(0), ...(after ?? [])];
}

/** Groups of four hexadecimal digits, the last two of which may be written as an IPv4 address. */
function groupsIn(text: string): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [at, part] of parts.entries()) {
    const bytes = at === parts.length - 1 ? bytesOf(part) : undefined;
    if (bytes) groups.push(bytes[0]! * 256 + bytes[1]!, bytes[2]! * 256 + bytes[3]!);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

function bytesOf(address: string): readonly number[] | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address);
  const bytes = match?.slice(1).map(Number);
  return bytes?.every((byte) => byte <= 255) ? bytes : undefined;
}

const BYTE = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';

/** An IPv4-mapped address as Node writes it: the bytes in decimal, without leading zeros. */
const MAPPED = new RegExp(`^::ffff:(${BYTE}(?:\\.${BYTE}){3})$`);

/** An IPv4 address that came in over an IPv6 socket (`::ffff:192.0.2.1`, however it is written) as IPv4; any other as it is. */
export function unmapped(address: string): string {
  if (!address.includes(':')) return address;
  // Node writes the address of every IPv4 client of a server on `::` like this.
  const plain = MAPPED.exec(address)?.[1];
  if (plain !== undefined) return plain;
  const groups = groupsOf(address);
  if (!groups || groups[5] !== 0xffff || groups.slice(0, 5).some((group) => group !== 0)) return address;
  return [groups[6]!, groups[7]!].flatMap((group) => [group >> 8, group & 255]).join('.');
}

/**
 * The unit in which clients are counted by address: an IPv4 address, or the first 64 bits of an IPv6 address, because a
 * network usually has 2⁶⁴ of them (RFC 6177). A text that is not an address is returned as it is.
 */
export function networkOf(address: string): string {
  const plain = unmapped(address);
  // IPv4 is all that many servers ever see.
  if (!plain.includes(':')) return plain;
  const groups = groupsOf(plain);
  if (!groups) return plain;
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}
