/**
 * Owns how a metric is declared: one declaration gives the name and type that are exposed, the bounds of its labels, and the row
 * in docs/metrics.md.
 */

/** All values that a label can have, or their source in words: names that the operator or an author chose, never data of a request. */
export type LabelValues = readonly string[] | string;

export interface Declaration {
  /** Follows the conventions of Prometheus. Metrics that both services have get no prefix, the others `mcp_` or `auth_`. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** One sentence for the operator. */
  readonly help: string;
  /** In the order in which their values are given. */
  readonly labels?: Readonly<Record<string, LabelValues>>;
}

/** One line of the exposition. */
export interface Sample {
  /** Follows the name: `_sum` of a histogram. */
  readonly suffix?: string;
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly value: number;
}

/** A metric while a service runs. */
export interface Metric {
  readonly declaration: Declaration;
  /** The current values. */
  samples(): readonly Sample[] | Promise<readonly Sample[]>;
}

/** The values of a label in a table cell. */
const valuesOf = (values: LabelValues): string =>
  typeof values === 'string' ? values : values.map((value) => `\`${value}\``).join(' ');

/** A markdown table, one row per metric. */
export function metricsTable(declarations: readonly Declaration[]): string {
  const rows = declarations.map(({ name, type, help, labels = {} }) => {
    const list = Object.entries(labels).map(([label, values]) => `\`${label}\`: ${valuesOf(values)}`);
    return `| \`${name}\` | ${type} | ${help} | ${list.join('<br>')} |`;
  });
  return ['| metric | type | what it says | labels |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
