// The session of a visitor's browser: one for all tabs, renewed in time.

import { answered, type Credential } from "./api.ts";
import { createCalls } from "./calls.ts";
import { networkError, RondoError } from "./errors.ts";
import type { Keep } from "./keep.ts";
import type { SiteConfig, VisitorSession } from "./site.ts";
import { browserSurroundings, type Surroundings } from "./surroundings.ts";

/** A token that ends within this time is renewed before it is used. */
export const RENEW_BEFORE_MS = 60_000;

/** What a visitor's session needs. */
export interface VisitorOptions {
  baseUrl: string;
  siteKey: string;
  /** Where the session is kept for all tabs of the website. */
  keep: Keep;
  fetch?: typeof fetch;
  surroundings?: Surroundings;
}

/** Who the visitor is to Rondo. Nothing is asked for before it is needed. */
export class Visitor implements Credential {
  readonly #options: VisitorOptions;
  readonly #around: Surroundings;
  readonly #name: string;
  #identity: string | null = null;
  #asking: Promise<VisitorSession> | null = null;

  constructor(options: VisitorOptions) {
    this.#options = options;
    this.#around = options.surroundings ?? browserSurroundings();
    this.#name = `rondo:${options.siteKey}:session`;
  }

  /** The visitor's id, once there is a session. */
  get id(): string | null {
    return this.#session()?.visitor_id ?? null;
  }

  /** How the website wants its widget, as the session said. */
  get config(): SiteConfig {
    return this.#session()?.config ?? {};
  }

  /** A session that is good for a while. */
  async session(): Promise<VisitorSession> {
    const session = this.#session();
    if (session && Date.parse(session.expires_at) - this.#around.now() > RENEW_BEFORE_MS) return session;
    return this.#once(() => this.#renew());
  }

  async token(): Promise<string> {
    return (await this.session()).visitor_token;
  }

  async renewed(refused: string | null): Promise<string> {
    const session = this.#session();
    // Another tab, or another call, may have been quicker.
    if (session && session.visitor_token !== refused) return session.visitor_token;
    return (await this.#once(() => this.#renew())).visitor_token;
  }

  /** Says who the visitor is, by a token that the website's backend has signed. */
  async identify(identity: string): Promise<VisitorSession> {
    await this.#asking?.catch(() => {});
    this.#identity = identity;
    return this.#once(() => this.#begin());
  }

  /** Forgets the visitor; the next session is another one's. */
  forget(): void {
    this.#identity = null;
    this.#options.keep.set(this.#name, null);
  }

  /** Every caller waits for one request. */
  #once(ask: () => Promise<VisitorSession>): Promise<VisitorSession> {
    this.#asking ??= ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #renew(): Promise<VisitorSession> {
    const session = this.#session();
    if (!session) return this.#begin();
    const old = { token: async () => session.visitor_token };
    try {
      const renewed = await answered(this.#api(old).POST("/v1/visitor_sessions/refresh", {}));
      return this.#remember({ ...session, ...renewed });
    } catch (error) {
      if (!(error instanceof RondoError) || error.status !== 401) throw error;
      return this.#begin(); // Too old to be renewed.
    }
  }

  async #begin(): Promise<VisitorSession> {
    const session = this.#session();
    // The token of the earlier session, though it may have ended, shows that this is the same visitor.
    const old = session && { token: async () => session.visitor_token };
    const body = {
      site_key: this.#options.siteKey,
      ...(session && { visitor_id: session.visitor_id }),
      ...(this.#identity && { identity: this.#identity }),
    };
    try {
      return this.#remember(await answered(this.#api(old).POST("/v1/visitor_sessions", { body })));
    } catch (error) {
      throw (await this.#isOriginRefused(networkError(error))) ? originRefused() : error;
    }
  }

  /** Browsers tell a page of an origin that is not allowed no more than that there was no answer. */
  async #isOriginRefused({ status }: RondoError): Promise<boolean> {
    const { baseUrl, fetch = globalThis.fetch } = this.#options;
    if (status !== 0) return false;
    // Every page may read this one: it has no answer only without a network. A kept one is no answer.
    const request: RequestInit = { method: "HEAD", cache: "no-store" };
    const script = await fetch(`${baseUrl}/widget/rondo.js`, request).catch(() => null);
    return script?.ok === true;
  }

  #api(credential?: Credential | null) {
    const { baseUrl, fetch } = this.#options;
    return createCalls({ baseUrl, ...(fetch && { fetch }), ...(credential && { credential }) });
  }

  #remember(session: VisitorSession): VisitorSession {
    this.#options.keep.set(this.#name, JSON.stringify(session));
    return session;
  }

  #session(): VisitorSession | null {
    try {
      const session = JSON.parse(this.#options.keep.get(this.#name) ?? "null");
      return typeof session?.visitor_token === "string" ? session : null;
    } catch {
      return null;
    }
  }
}

function originRefused(): RondoError {
  return new RondoError("this website's origin is not allowed", {
    code: "origin-not-allowed",
    status: 403,
  });
}
