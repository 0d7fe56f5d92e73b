// Live metrics as they come, kept by the stream itself: a reconnection goes on where it was.

import { type Api, LiveStream, type StreamState } from "@rondo/client";
import { useEffect, useState } from "react";
import { type MetricsWindow, withWindow } from "./figures.ts";

const ADDRESS = "/v1/metrics/live/stream";

/** The last windows, and how the stream is. */
export function useLiveMetrics(api: Api): {
  windows: MetricsWindow[];
  state: StreamState;
  hasData: boolean;
} {
  const [windows, setWindows] = useState<MetricsWindow[]>([]);
  const [hasData, setHasData] = useState(false);
  const [state, setState] = useState<StreamState>({ is: "connecting" });
  useEffect(() => {
    const stream = new LiveStream({
      connect,
      onState: setState,
      onEvent: ({ type, data }) => {
        if (type === "snapshot") setWindows(data.data as MetricsWindow[]);
        else if (type === "workspace.metrics") {
          setWindows((before) => withWindow(before, data as unknown as MetricsWindow));
        }
        setHasData(true);
      },
      // The cookie may have been renewed meanwhile; a session that is over is told by the next call.
      renew: () => api.GET("/v1/session"),
    });
    stream.open();
    return () => stream.close();
  }, [api]);
  return { windows, state, hasData };
}

function connect(cursor: string | null, signal: AbortSignal): Promise<Response> {
  const query = cursor === null ? "" : `?${new URLSearchParams({ last_event_id: cursor })}`;
  return fetch(ADDRESS + query, { signal, headers: { Accept: "text/event-stream" }, cache: "no-store" });
}
