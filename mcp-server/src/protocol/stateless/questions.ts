/**
 * Owns the questions of one run: those with an answer, and those that the client is asked next. A tool runs again
 * from its start in every round, so a question is identified by its content, and not by its order (MCP 2026-07-28
 * basic/patterns/mrtr).
 */
import { createHash } from 'node:crypto';
import { INVALID_PARAMS } from '@mcp-oauth/shared/json-rpc-codes';
import { isSpecType } from '@modelcontextprotocol/server';
import { type ClientRequest, RpcError } from '../call.ts';

/** By the key of the question. */
export type Answers = ReadonlyMap<string, unknown>;

/** "Supported Requests": the methods that may end with questions. */
export const MAY_ASK: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read']);

const KINDS = {
  'elicitation/create': { word: 'elicitation', isAnswer: isSpecType.ElicitResult },
  'sampling/createMessage': { word: 'sampling', isAnswer: isSpecType.CreateMessageResult },
  'roots/list': { word: 'roots', isAnswer: isSpecType.ListRootsResult },
} as const;

export class Questions {
  readonly #answers: Answers;
  readonly #keys = new Set<string>();
  /** The answers that this run has used, for the state of the next round. Other input of the client is not kept. */
  readonly used = new Map<string, unknown>();
  readonly open = new Map<string, ClientRequest>();

  constructor(answers: Answers) {
    this.#answers = answers;
  }

  /**
   * @returns the answer, or nothing when the client has to be asked
   * @throws RpcError when the client's input does not answer this question
   */
  ask(request: ClientRequest): unknown {
    const key = this.#keyOf(request);
    const answer = this.#answers.get(key);
    if (answer === undefined) {
      this.open.set(key, request);
      return undefined;
    }
    if (!KINDS[request.method].isAnswer(answer)) {
      throw new RpcError(INVALID_PARAMS, `Invalid params: inputResponses.${key} is not an answer to ${request.method}`);
    }
    this.used.set(key, answer);
    return answer;
  }

  known(name: string): unknown {
    return this.#answers.get(name);
  }

  /**
   * The author's key, or a hash of the question: an answer must not count for a question that the user has not
   * read.
   */
  #keyOf({ key, method, params }: ClientRequest): string {
    // Well-formed, as it is sent: the client's answer has the same key.
    const name = key?.toWellFormed() ?? `${KINDS[method].word}-${digest(params)}`;
    let unique = name;
    for (let n = 2; this.#keys.has(unique); n += 1) unique = `${name}-${n}`;
    this.#keys.add(unique);
    return unique;
  }
}

const digest = (params: object): string =>
  createHash('sha256').update(JSON.stringify(params)).digest('base64url').slice(0, 12);
