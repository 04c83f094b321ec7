/** Where the inspector is served; its cookie goes nowhere else. */
export const INSPECTOR_PATH = '/realtime';

const NAME = 'inspector';

/** No script can read the cookie, and no other site makes a browser send it. Behind TLS, add `Secure`. */
export function cookieWith(token: string): string {
  return `${NAME}=${token}; Path=${INSPECTOR_PATH}; HttpOnly; SameSite=Strict`;
}

export function tokenOfCookie(header = ''): string | undefined {
  const cookies = new Map(header.split('; ').map((pair) => pair.split('=', 2) as [string, string]));
  return cookies.get(NAME);
}
