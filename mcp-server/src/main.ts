/** Owns the process of mcp-server. */
import process from 'node:process';
import { runService } from '@mcp-oauth/shared/service';
import { compose } from './compose.ts';

await runService('mcp-server', process, () => compose(process.env));
