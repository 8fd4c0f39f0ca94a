/**
 * Owns the conversation with the person: one question after the other, whatever a server asks at the same time, and none where nobody
 * can answer. A page is opened only after a yes, and never requested here (MCP, elicitation: safe URL handling).
 */
import { StartError } from '@mcp-oauth/shared/errors';
import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/client';
import { PersonNeeded } from '../failure.ts';
import { type Form, type FormAnswer, fillIn, type Question } from './form.ts';
import { type Link, pageOf, questionOf } from './link.ts';

type Action = FormAnswer['action'];

export interface Person {
  fillIn(form: Form): Promise<FormAnswer>;
  /** Asks for consent, and opens the page. */
  visit(link: Link): Promise<{ readonly action: Action }>;
  /**
   * The same for pages without which a request can't go on. Resolves when the server says that all of them are done, or the person does.
   *
   * @throws PersonNeeded if nobody can be asked, StartError if the person declines
   */
  visitAll(links: readonly Link[]): Promise<void>;
  /** The server says that a page is done. */
  completed(id: string): void;
  /** Whether a question was declined because nobody could be asked. */
  wasMissed(): boolean;
}

export interface PersonOptions {
  /** The host of the server. */
  readonly server: string;
  /** Whether a form can be filled in: at a terminal, or with lines that were written before. */
  readonly answers: boolean;
  /** Whether somebody sits at the terminal: nothing else can agree to open a page. */
  readonly isPresent: boolean;
  readonly ask: Question;
  readonly say: (text: string) => void;
  readonly open: (page: URL) => void;
}

const DONE = '[Enter: it is done, y: open it again, n: give up] ';

export function createPerson({ server, answers, isPresent, ask, say, open }: PersonOptions): Person {
  let missed = false;
  /** The pages that the person has agreed to. */
  const agreed = new Set<string>();
  /** What to do when the server says that a page is done. */
  const waiting = new Map<string, () => void>();
  let last: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(conversation: () => Promise<T>): Promise<T> => {
    const next = last.then(conversation);
    last = next.catch(() => {});
    return next;
  };

  const miss = (what: string) => {
    missed = true;
    say(`client: ${server} ${what}\nclient: nobody can be asked here, so the answer is no`);
    return { action: 'decline' } as const;
  };

  /** The end of an input that is no terminal is not the decision of a person. */
  const read: Question = async (text) => {
    const line = await ask(text);
    missed ||= line === undefined && !isPresent;
    return line;
  };

  const checked = (link: Link): URL => {
    const page = pageOf(link);
    if (typeof page !== 'string') return page;
    const why = `the page that ${server} asks for is not opened: ${page}`;
    // Otherwise only the server would hear of it.
    if (link.id !== undefined) say(`client: ${why}`);
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, why);
  };

  const consent = async (link: Link, page: URL): Promise<Action> => {
    const line = await read(`${questionOf(link, page, server)}\nOpen it in the browser? [y/N] `);
    if (line === undefined) return 'cancel';
    if (!/^\s*y(es)?\s*$/i.test(line)) return 'decline';
    agreed.add(page.href);
    open(page);
    say('If no browser opens, open the URL yourself.');
    return 'accept';
  };

  /** @param isOver whether the server has said so in the meantime: then the line answers another question */
  const untilDone = async (pages: readonly URL[], isOver: () => boolean = () => false): Promise<Action> => {
    for (;;) {
      const line = await read(DONE);
      if (isOver()) return 'accept';
      if (line === undefined) return 'cancel';
      if (/^\s*n/i.test(line)) return 'decline';
      if (!/^\s*y/i.test(line)) return 'accept';
      for (const page of pages) open(page);
    }
  };

  const visit = async (link: Link): Promise<{ readonly action: Action }> => {
    const page = checked(link);
    if (!isPresent) return miss(`asks to open ${page.href}`);
    if (link.id !== undefined) {
      waiting.set(link.id, () => say(`${server} says that ${page.host} is done.`));
      // Such a server waits by itself.
      return { action: await consent(link, page) };
    }
    // A server of 2026-07-28 asks again until the page is done.
    if (agreed.has(page.href)) say(`\n${server} still waits for ${page.href}`);
    else {
      const action = await consent(link, page);
      if (action !== 'accept') return { action };
    }
    return { action: await untilDone([page]) };
  };

  const visitAll = async (links: readonly Link[]): Promise<void> => {
    const pages = links.map(checked);
    const hrefs = pages.map(({ href }) => href);
    if (!isPresent) throw new PersonNeeded(`${server} needs a person to open ${hrefs.join(' and ')}`, hrefs);
    let isOver = false;
    const ends = links.map(({ id }) => ended(id));
    for (const [n, page] of pages.entries()) {
      if (agreed.has(page.href)) say(`\n${server} still waits for ${page.href}`);
      else if ((await consent(links[n] as Link, page)) !== 'accept') throw new StartError(NOT_OPENED);
    }
    const told = Promise.all(ends).then((): Action => {
      isOver = true;
      say(`\n${server} says that it is done.`);
      return 'accept';
    });
    const action = await Promise.race([told, untilDone(pages, () => isOver)]);
    if (action !== 'accept') throw new StartError(NOT_DONE);
  };

  const ended = (id: string | undefined): Promise<void> =>
    new Promise((resolve) => {
      if (id !== undefined) waiting.set(id, resolve);
    });

  return {
    fillIn: (form) => inTurn(async () => (answers ? fillIn(form, server, read) : miss(`asks: ${form.message}`))),
    visit: (link) => inTurn(() => visit(link)),
    visitAll: (links) => inTurn(() => visitAll(links)),
    completed: (id) => {
      waiting.get(id)?.();
      waiting.delete(id);
    },
    wasMissed: () => missed,
  };
}

const NOT_OPENED = 'the page that the server needs was not opened';
const NOT_DONE = 'given up before the page was done';
