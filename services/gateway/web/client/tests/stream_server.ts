// A server of one live stream, held by the test: each connection is answered as the test says.

export interface Connection {
  cursor: string | null;
  signal: AbortSignal;
  send(text: string): void;
  end(): void;
  break(): void;
}

export class StreamServer {
  readonly connections: Connection[] = [];
  /** What the next connections get instead of a stream. */
  readonly refusals: (Response | Error)[] = [];

  connect = async (cursor: string | null, signal: AbortSignal): Promise<Response> => {
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    const encoder = new TextEncoder();
    this.connections.push({
      cursor,
      signal,
      send: (text) => controller.enqueue(encoder.encode(text)),
      end: () => controller.close(),
      break: () => controller.error(new TypeError("network error")),
    });
    const refusal = this.refusals.shift();
    if (refusal instanceof Error) throw refusal;
    if (refusal) return refusal;
    const body = new ReadableStream<Uint8Array>({
      start: (given) => {
        controller = given;
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };

  get last(): Connection {
    const last = this.connections.at(-1);
    if (!last) throw new Error("nobody has connected");
    return last;
  }
}

export function frame(cursor: string, type: string, data: unknown = {}): string {
  const event = {
    id: `evt_${cursor}`,
    type,
    conversation_id: "cnv_1",
    occurred_at: "2026-01-01T00:00:00Z",
    data,
  };
  return `id: ${cursor}\nevent: ${type}\ndata: ${JSON.stringify(event)}\n\n`;
}

export function problem(status: number, code: string, headers: Record<string, string> = {}): Response {
  const body = { type: `urn:rondo:error:${code}`, title: code, status, detail: `because ${code}` };
  return Response.json(body, { status, headers });
}
