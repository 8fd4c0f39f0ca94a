/** Owns `explain-token`: why this server, with these settings, would refuse or accept a token, before anybody tries. */
import process from 'node:process';
import { type Command, UsageError } from '@mcp-oauth/shared/cli/command';
import { json } from '@mcp-oauth/shared/cli/list';
import { type Clock, systemClock } from '@mcp-oauth/shared/clock';
import { resourceIdentifiers } from '@mcp-oauth/shared/contract';
import { createLogger } from '@mcp-oauth/shared/logger';
import type { Config } from '../../config.ts';
import type { Check } from './check.ts';
import { explainToken } from './explain.ts';
import type { Explanation } from './explanation.ts';
import { openInspection } from './inspection.ts';
import { withProof } from './proof.ts';
import { type Bytes, readProof, readToken } from './read-token.ts';
import { isAccepted, writeReport } from './report.ts';

export interface ExplainTokenOptions {
  readonly clock?: Clock;
  /** Absent: standard input of the process. */
  readonly stdin?: () => Bytes;
}

const NO_VALUE =
  'a token is not taken from the command line, which other users of the machine can see: pipe it to standard input, or name --token-file';

const NO_PROOF = '--method and --url are of the request with the proof: name --proof too';

export const explainTokenCommand = ({
  clock = systemClock,
  stdin = () => process.stdin,
}: ExplainTokenOptions = {}): Command => ({
  name: 'explain-token',
  summary: 'Say why this server would refuse or accept a token, and what to change.',
  details:
    'Reads an access token from standard input, or from a file, and checks it as the server with the same settings does. Its issuer is asked for keys, or whether an opaque token is active. The token is never shown. Ends with 0 if it is accepted, 1 if it is refused.',
  options: {
    'token-file': { type: 'string', value: 'file', doc: 'File with the token; - is standard input, the default.' },
    offline: {
      type: 'boolean',
      doc: 'Ask no issuer: everything is checked but the signature, or whether an opaque token is active.',
    },
    proof: {
      type: 'string',
      value: 'file',
      doc: 'File with a DPoP proof that came with the token, which is checked too.',
    },
    method: { type: 'string', value: 'method', doc: 'Method of the request with that proof. Default: POST.' },
    url: { type: 'string', value: 'url', doc: 'URL of that request, as clients know it. Default: the MCP endpoint.' },
    token: { type: 'string', value: 'token', doc: 'Refused, because other users of the machine can see it.' },
    json,
  },
  run: async ({ env, options, stdout }) => {
    if (options.token !== undefined) throw new UsageError(NO_VALUE);
    const { proof, method = 'POST', url } = options;
    if (proof === undefined && (options.method ?? url) !== undefined) throw new UsageError(NO_PROOF);
    if (url !== undefined && !URL.canParse(String(url))) throw new UsageError('--url: expected a URL');
    const failures: string[] = [];
    const write = (line: string): void => {
      failures.push(...whyUnavailable(line));
    };
    const inspection = await openInspection(env, { clock, log: createLogger('mcp-server', 'warn', { write }) });
    const { config } = inspection;
    const file = typeof options['token-file'] === 'string' ? options['token-file'] : undefined;
    const token = await readToken(file, { stdin, limit: config.maxHeaderSize });
    const way = { offline: options.offline === true, whyUnavailable: () => failures.join('; ') || undefined };
    const explanation = token === undefined ? tooLarge(config) : await explainToken(token, inspection, way);
    const resource = resourceIdentifiers(config.publicUrl)[0] ?? config.publicUrl;
    const recorded = typeof proof === 'string' && {
      proof: await readProof(proof),
      method: String(method),
      url: String(url ?? resource),
    };
    const proven = recorded ? await withProof(explanation, token ?? '', recorded, inspection) : explanation;
    const report = { ...proven, resource };
    writeReport(report, stdout, options.json === true);
    return isAccepted(report) ? 0 : 1;
  },
});

/** What the server logs when an issuer does not answer. */
function whyUnavailable(line: string): readonly string[] {
  const { msg, reason } = JSON.parse(line) as { readonly msg: string; readonly reason?: string };
  return /^issuer (keys not fetched|metadata not fetched|does not say)/.test(msg) && reason ? [reason] : [];
}

function tooLarge({ maxHeaderSize }: Config): Explanation {
  const check: Check = {
    check: 'size',
    result: 'refused',
    reason: 'too_large',
    meaning: 'The header of a request with this token is larger than is accepted; the answer is 431.',
    expected: `at most ${maxHeaderSize} bytes`,
    there: 'Leave claims out of the token, such as groups. Is this a token?',
    here: 'Raise MAX_HEADER_SIZE, and the limit of each proxy.',
    setting: 'MAX_HEADER_SIZE',
  };
  return { checks: [check] };
}
