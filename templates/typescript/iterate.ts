// Iteration: messages one by one, for loops.

/** The values that come from here on. subscribe begins that, is told what to do with a value and at the end, and returns what stops it. */
function $iterate<T>(
  name: string,
  { signal, limit = 1000 }: { readonly signal?: AbortSignal | undefined; readonly limit?: number | undefined },
  subscribe: (take: (value: T) => void, end: () => void) => () => void,
): AsyncIterableIterator<T, undefined> {
  const waiting: T[] = [];
  let readers: (() => void)[] = [];
  let lost = false;
  let ended = false;
  let stop = (): void => undefined;
  const wake = (): void => {
    const all = readers;
    readers = [];
    all.forEach((go) => { go(); });
  };
  const end = (): void => {
    ended = true;
    stop();
    signal?.removeEventListener("abort", leave);
    wake();
  };
  const leave = (): void => {
    waiting.length = 0;
    end();
  };
  stop = subscribe((value) => {
    if (waiting.length < limit) {
      waiting.push(value);
      wake();
    } else {
      lost = true;
      end();
    }
  }, end);
  signal?.addEventListener("abort", leave);
  if (ended || signal?.aborted === true) {
    leave();
  }
  return {
    [Symbol.asyncIterator]() { return this; },
    async next() {
      while (waiting.length === 0 && !ended) {
        await new Promise<void>((resolve) => { readers.push(resolve); });
      }
      const value = waiting.shift();
      if (value === undefined && lost) {
        lost = false;
        throw new ConnectionError("overflow", `more than ${limit} messages ${name} waited for their loop`);
      }
      return value === undefined ? { done: true, value: undefined } : { value };
    },
    return() {
      leave();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
}
