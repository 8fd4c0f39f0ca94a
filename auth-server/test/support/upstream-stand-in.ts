/** Owns the HTTP side of an upstream in tests: a table of routes, and the faults of its token endpoint. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { serve, type TestServer } from '@mcp-oauth/shared/testing/listen';
import type { Fault } from '../contracts/connector.contract.ts';

export type Route = (form: URLSearchParams, request: IncomingMessage) => unknown;

export interface Stage extends TestServer {
  readonly routes: Map<string, Route>;
  /** Paths that are redirected. */
  readonly redirects: Map<string, string>;
  /** Paths that were requested. */
  readonly asked: readonly string[];
  fault: Fault | undefined;
}

/** The answer of a route that is not JSON with status 200. */
export class Reply {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    this.status = status;
    this.body = typeof body === 'string' ? body : JSON.stringify(body);
    this.headers = headers;
  }
}

/** Every route answers JSON; `undefined` is a 404. */
export async function createStage(tokenPath: string): Promise<Stage> {
  const routes = new Map<string, Route>();
  const redirects = new Map<string, string>();
  const asked: string[] = [];
  const server = await serve(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://stage').pathname;
    const form = new URLSearchParams(await text(request));
    asked.push(path);
    const location = redirects.get(path);
    if (location) {
      response.writeHead(307, { location }).end();
      return;
    }
    if (path === tokenPath && stage.fault && misbehave(stage.fault, response)) return;
    const body = await routes.get(path)?.(form, request);
    if (body instanceof Reply) {
      response.writeHead(body.status, { 'content-type': 'application/json', ...body.headers }).end(body.body);
      return;
    }
    send(response, body === undefined ? 404 : 200, JSON.stringify(body ?? { message: 'Not Found' }));
  });
  const stage: Stage = { ...server, routes, redirects, asked, fault: undefined };
  return stage;
}

function misbehave(fault: Fault, response: ServerResponse): boolean {
  if (fault === 'server error') send(response, 503, '{"error":"server_error"}');
  if (fault === 'garbage') send(response, 200, '<!doctype html>{');
  return fault === 'server error' || fault === 'garbage' || fault === 'silence';
}

const send = (response: ServerResponse, status: number, body: string) =>
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(body);

async function text(request: IncomingMessage): Promise<string> {
  let read = '';
  for await (const part of request) read += part;
  return read;
}
