// Listeners: who wants to know of what.

type $Listener = (value: never, meta: never) => unknown;

class $Listeners {
  readonly #all = new Map<string, Set<$Listener>>();

  /** Adds a listener of a name. What it returns takes it away. */
  add(name: string, listener: $Listener): () => void {
    const all = this.#all.get(name) ?? new Set();
    const own: $Listener = (value, meta) => listener(value, meta); // the same function may be given twice
    this.#all.set(name, all.add(own));
    return () => { all.delete(own); };
  }

  /** Calls the listeners of a name, and reports whether there are any. One that throws keeps no other from being called. */
  call(name: string, value: unknown, meta?: unknown): boolean {
    const current = this.#all.get(name);
    const failed = name === "error" ? console.error : this.report;
    const all = [...(current ?? [])];
    for (const listener of all) {
      if (current?.has(listener) === false) {
        continue; // one before it has ended it
      }
      try {
        const out = listener(value as never, meta as never);
        if (out instanceof Promise) {
          out.catch(failed);
        }
      } catch (error) {
        failed(error);
      }
    }
    return all.length > 0;
  }

  /** Tells an error that has no caller to return it to. */
  readonly report = (error: unknown): void => {
    if (!this.call("error", error)) {
      console.error(error);
    }
  };
}
