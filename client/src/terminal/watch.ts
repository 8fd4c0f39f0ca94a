/** Owns `watch`: what a server tells by itself, until somebody ends it. */
import type { Client, McpSubscription } from '@modelcontextprotocol/client';
import type { Screen } from './screen.ts';

export interface Watched {
  /** Resources whose changes are told. */
  readonly uris: readonly string[];
  /** Resolves when the person ends it. */
  readonly interrupted: Promise<void>;
}

const LISTS = ['tools', 'resources', 'prompts'] as const;

/** To be called before the connection, so that nothing is missed. */
export function announce(client: Client, { result }: Screen): void {
  for (const list of LISTS) {
    client.setNotificationHandler(`notifications/${list}/list_changed`, () =>
      result(`${list} changed`, { event: 'list_changed', list }),
    );
  }
  client.setNotificationHandler('notifications/resources/updated', ({ params: { uri } }) =>
    result(`${uri} changed`, { event: 'updated', uri }),
  );
  client.setNotificationHandler('notifications/message', ({ params: { level, logger, data } }) => {
    const said = typeof data === 'string' ? data : JSON.stringify(data);
    result(`${level}${logger === undefined ? '' : ` ${logger}`}: ${said}`, { event: 'message', level, logger, data });
  });
}

/** @returns whether the person has ended it, and not the server */
export async function watch(client: Client, { uris, interrupted }: Watched, { say }: Screen): Promise<boolean> {
  const ended = client.getProtocolEra() === 'modern' ? (await listen(client, uris)).closed : untilLost(client);
  if (client.getProtocolEra() === 'legacy') await subscribe(client, uris);
  say('Watching. Ctrl-C ends it.');
  return Promise.race([interrupted.then(() => true), ended.then(() => false)]);
}

function listen(client: Client, uris: readonly string[]): Promise<McpSubscription> {
  const { tools, resources, prompts } = client.getServerCapabilities() ?? {};
  return client.listen({
    ...(tools?.listChanged && { toolsListChanged: true }),
    ...(resources?.listChanged && { resourcesListChanged: true }),
    ...(prompts?.listChanged && { promptsListChanged: true }),
    ...(uris.length > 0 && { resourceSubscriptions: [...uris] }),
  });
}

/** The SDK tells only as an error that it has given up opening the stream again. */
function untilLost(client: Client): Promise<void> {
  const lost = Promise.withResolvers<void>();
  client.onclose = lost.resolve;
  client.onerror = ({ message }) => {
    if (message.startsWith('Maximum reconnection attempts')) lost.resolve();
  };
  return lost.promise;
}

async function subscribe(client: Client, uris: readonly string[]): Promise<void> {
  if (client.getServerCapabilities()?.logging) await client.setLoggingLevel('info');
  for (const uri of uris) await client.subscribeResource({ uri });
}
