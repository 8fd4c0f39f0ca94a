/**
 * Owns the answer to a scrape: the metrics of the service and of its process, in the text format of Prometheus, on a separate
 * port.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { reasonOf } from '../documents/remote-document.ts';
import { refusalOfHead } from '../http/request/head.ts';
import type { Logger } from '../logger.ts';
import type { Metric, Sample } from './declaration.ts';

const PATH = '/metrics';
/** Default metrics that walk all connections at each scrape. Nobody needs them, and they break the naming conventions. */
const LEFT_OUT = ['nodejs_active_handles', 'nodejs_active_requests', 'nodejs_active_resources'];

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Answers GET /metrics only. Concurrent scrapes share one reading. */
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
    if (refused) {
      res.writeHead(...refused).end();
      return;
    }
    reading ??= read().finally(() => {
      reading = undefined;
    });
    reading.then(
      (text) => answer(req, res, text),
      (err: unknown) => {
        log.error({ err }, 'metrics could not be read');
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

/** A metric that cannot be read is left out: the others are needed most when something is broken. */
async function textOf(metric: Metric, log: Logger): Promise<string> {
  const { name, type, help } = metric.declaration;
  const head = [`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${type}`];
  try {
    const lines = (await metric.samples()).map((sample) => lineOf(name, sample));
    return [...head, ...lines, ''].join('\n');
  } catch (error) {
    log.debug({ metric: name, reason: reasonOf(error) }, 'metric could not be read');
    return [...head, ''].join('\n');
  }
}

function lineOf(name: string, { suffix = '', labels, value }: Sample): string {
  const list = labels.map(([label, text]) => `${label}="${escaped(text)}"`).join();
  return `${name}${suffix}${list && `{${list}}`} ${value}`;
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
