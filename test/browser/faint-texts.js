/**
 * Runs in a page, and gives the visible texts whose contrast to what is behind them is less than WCAG 2.2 (1.4.3) wants:
 * 4.5, or 3 for large type. Controls that are disabled are exempt, as they are there.
 */
(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });

  function luminance(layers) {
    for (const layer of layers) {
      canvas.fillStyle = layer;
      canvas.fillRect(0, 0, 1, 1);
    }
    const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map((byte) => {
      const value = byte / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  function contrast(element) {
    const behind = ['#fff'];
    for (let each = element; each; each = each.parentElement) {
      behind.splice(1, 0, getComputedStyle(each).backgroundColor);
    }
    const [darker, lighter] = [luminance(behind), luminance([...behind, getComputedStyle(element).color])].sort(
      (a, b) => a - b,
    );
    return (lighter + 0.05) / (darker + 0.05);
  }

  function isLarge(element) {
    const { fontSize, fontWeight } = getComputedStyle(element);
    return parseFloat(fontSize) >= (fontWeight >= 700 ? 18.66 : 24);
  }

  const texts = [...document.body.querySelectorAll('*')].filter(
    (element) =>
      element.checkVisibility() &&
      !element.closest(':disabled') &&
      [...element.childNodes].some(({ nodeType, data }) => nodeType === Node.TEXT_NODE && data.trim()),
  );
  return {
    looked: texts.length,
    faint: texts
      .map((element) => ({ element, ratio: contrast(element) }))
      .filter(({ element, ratio }) => ratio < (isLarge(element) ? 3 : 4.5))
      .map(({ element, ratio }) => `${element.textContent.trim()} (${ratio.toFixed(2)})`),
  };
})();
