/** Prints the screen as it is: on a page of another shape the layers of the map would no longer fit one another. */

export function printAsSeen(): void {
  if (!("adoptedStyleSheets" in document)) {
    return;
  }
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  window.addEventListener("beforeprint", () => {
    sheet.replaceSync(`@page { size: ${window.innerWidth}px ${window.innerHeight}px; margin: 0; }`);
  });
}
