/**
 * Owns clients that stay signed in: each refreshes its token continuously and retries like a real client, and every
 * client whose person would have to sign in again is counted.
 */
import { setTimeout } from 'node:timers/promises';
import { type Answer, OAuthClient, type Tokens } from '../support/oauth-client.ts';
import type { Stack } from '../support/stack.ts';

/** Milliseconds between two refreshes of one client. */
const PACE = 300;
/** How often a client retries a refresh that got no answer or a 5xx, and the milliseconds in between. */
const TRIES = 5;
const PAUSE = 1_000;

interface Household {
  readonly client: OAuthClient;
  tokens: Tokens;
}

export class Households {
  refreshes = 0;
  /** Refreshes that had to be retried, and why. */
  readonly retried: string[] = [];
  /** Refreshes after which a person has to sign in again, and why. */
  readonly signedOut: string[] = [];
  readonly #members: readonly Household[];
  #working = false;
  #work: Promise<unknown> = Promise.resolve();

  private constructor(members: readonly Household[]) {
    this.#members = members;
  }

  /** @param url the public origin */
  static async move(url: string, size: number): Promise<Households> {
    const stack = { authUrl: url, mcpUrl: url } as Stack;
    const members = Array.from({ length: size }, async () => {
      const client = await OAuthClient.register(stack);
      return { client, tokens: await client.tokens() };
    });
    return new Households(await Promise.all(members));
  }

  /** A fresh access token of the client with this number. */
  token(number: number): string {
    const member = this.#members[number % this.#members.length];
    if (!member) throw new Error('nobody lives here');
    return member.tokens.access_token;
  }

  start(): void {
    this.#working = true;
    this.#work = Promise.all(this.#members.map((member) => this.#live(member)));
  }

  async stop(): Promise<void> {
    this.#working = false;
    await this.#work;
  }

  /** Refreshes the tokens of all clients once more, for instance after an outage. */
  async refreshAll(): Promise<void> {
    await Promise.all(this.#members.map((member) => this.#refresh(member)));
  }

  async #live(member: Household): Promise<void> {
    while (this.#working) {
      if (!(await this.#refresh(member))) return;
      await setTimeout(PACE);
    }
  }

  async #refresh(member: Household): Promise<boolean> {
    for (let tried = 0; tried < TRIES; tried += 1) {
      const answer = await member.client.refresh(member.tokens.refresh_token).catch((error: Error) => error);
      this.refreshes += 1;
      if (!(answer instanceof Error) && answer.status === 200) {
        member.tokens = answer.json as unknown as Tokens;
        return true;
      }
      const said = wordsOf(answer);
      if (!(answer instanceof Error) && answer.status < 500) {
        this.signedOut.push(said);
        return false;
      }
      this.retried.push(said);
      await setTimeout(PAUSE);
    }
    this.signedOut.push(`no answer after ${TRIES} tries`);
    return false;
  }
}

const wordsOf = (answer: Answer | Error): string =>
  answer instanceof Error ? String(answer.cause ?? answer) : `${answer.status} ${answer.text}`;
