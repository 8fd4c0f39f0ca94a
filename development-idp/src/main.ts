/** Owns the start of the process. */
import process from 'node:process';
import { runService } from '@mcp-oauth/shared/service';
import { compose } from './compose.ts';

await runService('development-idp', process, compose);
