/** Owns the start of the development IdP. */
import { runService } from '@mcp-oauth/shared/service';
import { compose } from './compose.ts';

await runService('development-idp', process, () => compose(process.env));
