/**
 * The server that the page talks to: `origin` is its address, `name` what to call it where there are several, and `lost()`
 * says that the connection to it was lost. Here there is one; sample 02 has another file of this name, which knows two.
 */
export const server = {
  origin: location.origin,
  name: '',
  lost() {},
};
