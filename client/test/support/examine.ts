/** Owns a run of `doctor --json` in this process, as a test reads it. */
import tls from 'node:tls';
import { systemClock } from '@mcp-oauth/shared/clock';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { type Ran, run } from '@mcp-oauth/shared/testing/terminal';
import { trustTestCertificate } from '../../../auth-server/test/support/client-host.ts';
import { doctorCommand } from '../../src/doctor/command.ts';
import { createAsk } from '../../src/doctor/network/ask.ts';
import { createConnections } from '../../src/doctor/network/connection.ts';
import { proxyFrom } from '../../src/doctor/network/proxy.ts';

export interface Report {
  readonly url: string;
  readonly healthy: boolean;
  readonly responsible?: string;
  readonly sentence: string;
  readonly steps: readonly {
    readonly step: string;
    readonly outcome: string;
    readonly says: string;
    readonly fix?: string;
    readonly responsible?: string;
  }[];
}

const PUBLIC = tls.getCACertificates('default');

/** @param trusted whether the certificate of the test server is trusted, as with NODE_EXTRA_CA_CERTS */
export function doctor(
  line: string,
  { trusted = true, stdin = '', env = {} }: { trusted?: boolean; stdin?: string; env?: Environment } = {},
): Promise<Ran> {
  const now = () => systemClock.now();
  if (trusted) trustTestCertificate();
  else tls.setDefaultCACertificates(PUBLIC);
  const command = doctorCommand({
    now,
    network: (variables, timeout) => {
      const proxyFor = proxyFrom(variables);
      return { ask: createAsk({ now, timeout, proxyFor }), ...createConnections({ timeout, proxyFor }) };
    },
    readFile: async () => stdin,
    signIn: () => Promise.reject(new Error('no browser')),
  });
  return run({ name: 'client', summary: 'A client.', commands: [command] }, `doctor ${line}`, env);
}

export async function examine(line: string, options: Parameters<typeof doctor>[1] = {}): Promise<Report & Ran> {
  const ran = await doctor(`${line} --json`, options);
  if (ran.stderr) throw new Error(ran.stderr);
  return { ...ran, ...(JSON.parse(ran.stdout) as Report) };
}

export const stepsWith = ({ steps }: Report, outcome: string): readonly string[] =>
  steps.filter((step) => step.outcome === outcome).map(({ step }) => step);
