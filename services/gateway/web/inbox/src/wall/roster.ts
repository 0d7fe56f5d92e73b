// Everybody who answers chats, with what they are doing. Every area asks under the same name.

import { type Api, answered, type components } from "@rondo/client";
import { queryOptions } from "@tanstack/react-query";

/** One of them. */
export type Seated = components["schemas"]["Colleague"];

/** The roster, by id. */
export function rosterQuery(api: Api) {
  return queryOptions({
    queryKey: ["roster"],
    queryFn: () => answered(api.GET("/v1/roster")),
    select: ({ data }): Seated[] => data,
  });
}
