/** Owns the setting that turns the metrics on. */
import { optional } from '../settings/config.ts';
import { port } from '../settings/types.ts';

export const metricsSettings = {
  metricsPort: optional({
    env: 'METRICS_PORT',
    doc: 'Port on which Prometheus reads /metrics (docs/metrics.md). It differs from the port of the service, so that no proxy publishes it; the address is HOST. Not set: nothing is counted.',
    type: port(),
    example: '9464',
  }),
};
