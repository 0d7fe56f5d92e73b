// Pages that have frozen `Object.prototype`.

import { options, type VNode } from "preact";

/**
 * Lets views be drawn anew on such a page.
 *
 * Preact copies a node property by property to draw it again. It knows its own nodes by their `constructor`,
 * which is undefined; on a frozen prototype, assigning that to the copy does nothing. Defining it does. Only
 * nodes that Preact has made itself come here, so what it guards against with that is kept out as before.
 */
export function bearFrozenPrototypes(): void {
  options.vnode = (node: VNode) => {
    if (node.constructor !== undefined) Object.defineProperty(node, "constructor", { value: undefined });
  };
}
