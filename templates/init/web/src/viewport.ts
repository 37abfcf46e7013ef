/**
 * Keeps the page above the keyboard of a phone. Browsers that know interactive-widget make the page smaller by themselves; in others,
 * only the visual viewport is.
 */
export function fitViewport(): void {
  const view = window.visualViewport;
  view?.addEventListener("resize", () => {
    if (view.scale === 1) { // else the reader has zoomed in
      document.documentElement.style.setProperty("--height", `${view.height}px`);
      window.scrollTo(0, 0);
    }
  });
}
