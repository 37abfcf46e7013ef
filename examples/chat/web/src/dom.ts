/** The element with an id. index.html has all that are asked for. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

/** Makes an element with a class and what is in it. */
export function make<K extends keyof HTMLElementTagNameMap>(tag: K, kind: string, ...content: (Node | string)[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = kind;
  element.append(...content);
  return element;
}

/** Makes a button. */
export function button(label: string, action: () => void): HTMLButtonElement {
  const element = make("button", "", label);
  element.type = "button";
  element.onclick = action;
  return element;
}

/** Makes an element with names in it, which may be written from right to left: "ann, bob". */
export function names(list: readonly string[]): Node[] {
  return list.flatMap((name, i) => [...(i === 0 ? [] : [document.createTextNode(", ")]), make("bdi", "", name)]);
}
