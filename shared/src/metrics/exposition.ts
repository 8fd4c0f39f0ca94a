/**
 * Owns what a scrape gets: the metrics of the service and those of its process, in the text format of Prometheus, on a port of
 * their own.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { refusalOfHead } from '../http/request-head.ts';
import type { Logger } from '../logger.ts';
import { reasonOf } from '../remote-document.ts';
import type { Metric, Sample } from './declaration.ts';

const PATH = '/metrics';
/** Walks of all connections, which nobody has asked for; they also break the conventions for names. */
const LEFT_OUT = ['nodejs_active_handles', 'nodejs_active_requests', 'nodejs_active_resources'];

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Answers GET /metrics and nothing else; many that ask at a time get one reading. */
export function createExposition(metrics: readonly Metric[], log: Logger): RequestListener {
  const process = new Registry();
  collectDefaultMetrics({ register: process });
  for (const name of LEFT_OUT) for (const each of [name, `${name}_total`]) process.removeSingleMetric(each);
  const read = async (): Promise<string> => {
    const texts = await Promise.all(metrics.map((metric) => textOf(metric, log)));
    return [...texts, await process.metrics()].join('\n');
  };
  let reading: Promise<string> | undefined;
  return (req, res) => {
    const refused = refusalOf(req);
    if (refused) return void res.writeHead(...refused).end();
    reading ??= read().finally(() => {
      reading = undefined;
    });
    reading.then(
      (text) => answer(req, res, text),
      (err: unknown) => {
        log.error({ err }, 'metrics not read');
        res.writeHead(500).end();
      },
    );
  };
}

function refusalOf(req: IncomingMessage): [status: number, headers?: Record<string, string>] | undefined {
  const { method, url = '' } = req;
  const refusal = refusalOfHead(req);
  if (refusal) return [refusal.status, refusal.headers];
  if (url !== PATH && !url.startsWith(`${PATH}?`)) return [404];
  return method === 'GET' || method === 'HEAD' ? undefined : [405, { Allow: 'GET, HEAD' }];
}

function answer({ method }: IncomingMessage, res: ServerResponse, text: string): void {
  const headers = {
    'Content-Type': CONTENT_TYPE,
    'Cache-Control': 'no-store',
    'Content-Length': Buffer.byteLength(text),
  };
  res.writeHead(200, headers).end(method === 'HEAD' ? undefined : text);
}

/** A metric that can't be read now is left out: the others are wanted the more when something is broken. */
async function textOf(metric: Metric, log: Logger): Promise<string> {
  const { name, type, help } = metric.declaration;
  const head = [`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${type}`];
  try {
    const lines = (await metric.samples()).map((sample) => lineOf(name, sample));
    return [...head, ...lines, ''].join('\n');
  } catch (error) {
    log.debug({ metric: name, reason: reasonOf(error) }, 'metric not read');
    return [...head, ''].join('\n');
  }
}

function lineOf(name: string, { suffix = '', labels, value }: Sample): string {
  const list = labels.map(([label, text]) => `${label}="${escaped(text)}"`).join();
  return `${name}${suffix}${list && `{${list}}`} ${value}`;
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
