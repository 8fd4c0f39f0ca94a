/** Owns a run of `doctor --json` in this process, as a test reads it. */
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { systemClock } from '@mcp-oauth/shared/clock';
import { createOutgoingFetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { type Ran, run } from '@mcp-oauth/shared/testing/terminal';
import { trustTestCertificate } from '../../../auth-server/test/support/client-host.ts';
import { doctorCommand } from '../../src/doctor/command.ts';
import { createAsk } from '../../src/doctor/network/ask.ts';
import { createConnections } from '../../src/doctor/network/connection.ts';
import { createListen } from '../../src/doctor/network/listen.ts';
import { proxyFrom } from '../../src/doctor/network/proxy.ts';
import { readSecretIn } from '../../src/sign-in/client/secret.ts';
import { signIn } from '../../src/sign-in/sign-in.ts';

export interface Report {
  readonly url: string;
  readonly healthy: boolean;
  readonly responsible?: string;
  readonly sentence: string;
  readonly steps: readonly {
    readonly step: string;
    readonly issuer?: string;
    readonly outcome: string;
    readonly says: string;
    readonly fix?: string;
    readonly responsible?: string;
  }[];
}

/** For the same key as the certificate of the other tests. */
export const EXPIRED = readFileSync(new URL('expired.pem', import.meta.url), 'utf8');

const PUBLIC = tls.getCACertificates('default');

export interface Circumstances {
  /** Whether the certificate of the test server is trusted, as with NODE_EXTRA_CA_CERTS. */
  readonly trusted?: boolean;
  readonly stdin?: string;
  readonly env?: Environment;
  /** Is given the URL that the browser opens. */
  readonly browse?: (url: URL) => void;
}

export function doctor(
  line: string,
  { trusted = true, stdin = '', env = {}, browse = () => {} }: Circumstances = {},
): Promise<Ran> {
  const now = () => systemClock.now();
  if (trusted) trustTestCertificate();
  if (trusted) tls.setDefaultCACertificates([...tls.getCACertificates('default'), EXPIRED]);
  else tls.setDefaultCACertificates(PUBLIC);
  const command = doctorCommand({
    now,
    network: (variables, timeout) => {
      const proxyFor = proxyFrom(variables);
      const options = { now, timeout, proxyFor };
      return { ask: createAsk(options), listen: createListen(options), ...createConnections(options) };
    },
    readFile: async () => stdin,
    signIn: (_, url, options) => {
      // Waiting for a person passes at once.
      let waited = 0;
      const wait = async (milliseconds: number) => {
        waited += milliseconds;
      };
      const fetch = createOutgoingFetch();
      return signIn(url, options, {
        fetch,
        openBrowser: browse,
        now: () => now() + waited,
        wait,
        secret: readSecretIn(env),
        version: '1.0.0',
      });
    },
  });
  return run({ name: 'client', summary: 'A client.', commands: [command] }, `doctor ${line}`, env);
}

export async function examine(line: string, circumstances: Circumstances = {}): Promise<Report & Ran> {
  const ran = await doctor(`${line} --json`, circumstances);
  if (!ran.stdout) throw new Error(ran.stderr);
  return { ...ran, ...(JSON.parse(ran.stdout) as Report) };
}

export const stepsWith = ({ steps }: Report, outcome: string): readonly string[] =>
  steps.filter((step) => step.outcome === outcome).map(({ step }) => step);
