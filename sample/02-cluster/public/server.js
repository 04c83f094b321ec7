const nodes = await (await fetch('/nodes')).json();
let current = Math.max(nodes.indexOf(location.origin), 0);

/** The node that the page talks to: at first the one that it came from; whenever it is lost, the next. */
export const server = {
  get origin() {
    return nodes[current];
  },
  get name() {
    return new URL(this.origin).host;
  },
  lost() {
    current = (current + 1) % nodes.length;
  },
};
