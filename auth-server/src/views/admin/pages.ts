/** Owns the pages of the operator with the brand, and the headers that they are sent with. */
import { pageHeaders } from '@mcp-oauth/shared/http/security-headers';
import type { Brand } from '../../branding/brand.ts';
import { confirmPage, endedPage } from './confirm.ts';
import { brandOfAdmin } from './frame.ts';
import { listPage, searchPage } from './lists.ts';
import { overviewPage } from './overview.ts';

type Given<View> = Omit<View, 'brand' | 'base'>;

export interface AdminPages {
  readonly headers: Readonly<Record<string, string>>;
  overview(view: Given<Parameters<typeof overviewPage>[0]>): string;
  list(view: Given<Parameters<typeof listPage>[0]>): string;
  search(view: Given<Parameters<typeof searchPage>[0]>): string;
  confirm(view: Given<Parameters<typeof confirmPage>[0]>): string;
  ended(view: Given<Parameters<typeof endedPage>[0]>): string;
}

/** @param base path of the pages of the operator */
export function createAdminPages(usual: Brand, base: string): AdminPages {
  const look = { brand: brandOfAdmin(usual), base };
  return {
    headers: pageHeaders(look.brand.stylesheet),
    overview: (view) => overviewPage({ ...view, ...look }),
    list: (view) => listPage({ ...view, ...look }),
    search: (view) => searchPage({ ...view, ...look }),
    confirm: (view) => confirmPage({ ...view, ...look }),
    ended: (view) => endedPage({ ...view, ...look }),
  };
}
