// What the tab remembers when it is loaded again. Browsers may refuse to: then it is remembered until that.
const memory = new Map<string, string>();

/** What was remembered under a name. */
export function recall(name: string): string | undefined {
  try {
    return sessionStorage.getItem(name) ?? memory.get(name);
  } catch {
    return memory.get(name);
  }
}

/** Remembers something under a name. */
export function remember(name: string, value: string): void {
  memory.set(name, value);
  try {
    sessionStorage.setItem(name, value);
  } catch {
    // denied, or full
  }
}

/** What was remembered as JSON; fallback, where there is none or nobody can read it. */
export function recallJSON<T>(name: string, fallback: T): T {
  try {
    return JSON.parse(recall(name) ?? "") as T;
  } catch {
    return fallback;
  }
}
