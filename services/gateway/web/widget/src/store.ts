// A value that views follow.

import { useEffect, useState } from "preact/hooks";

/** Holds a value and tells whoever follows it. */
export class Store<Value> {
  #value: Value;
  #followers = new Set<() => void>();

  constructor(value: Value) {
    this.#value = value;
  }

  get(): Value {
    return this.#value;
  }

  set(change: Partial<Value>): void {
    this.#value = { ...this.#value, ...change };
    for (const follow of [...this.#followers]) follow();
  }

  follow(follow: () => void): () => void {
    this.#followers.add(follow);
    return () => void this.#followers.delete(follow);
  }
}

/** The store's value, drawn anew when it changes. */
export function useStore<Value>(store: Store<Value>): Value {
  const [, draw] = useState(0);
  useEffect(() => {
    draw((n) => n + 1); // It may have changed since it was drawn.
    return store.follow(() => draw((n) => n + 1));
  }, [store]);
  return store.get();
}
