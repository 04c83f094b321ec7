const MAX_FRAMES = 100;
const MAX_LENGTH = 2_000;
const TOKEN = /("token":")[^"]*/g;

/** Shows the frames of the connection, newest first, while `details` is open. Tokens are left out, and long frames are cut. */
export function createWire(details, list) {
  details.ontoggle = () => {
    if (!details.open) list.replaceChildren();
  };

  return (direction, text) => {
    if (!details.open) return;
    const frame = document.createElement('li');
    const shown = text.replace(TOKEN, '$1…');
    frame.textContent = `${direction} ${shown.length > MAX_LENGTH ? `${shown.slice(0, MAX_LENGTH)} …` : shown}`;
    list.prepend(frame);
    if (list.children.length > MAX_FRAMES) list.lastElementChild.remove();
  };
}
