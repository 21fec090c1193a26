// What schema.json is derived from: the types that Grafana publishes as @grafana/schema 12.3.0, by
// ts-json-schema-generator 2.4.0 (--type Checked --jsDoc none --expose none, no other properties),
// with what comes more than once under $defs. `paths` maps @grafana/schema to its dist/types.
import type { Dashboard, Panel, RowPanel } from '@grafana/schema/dist/types/index';
import type { Options as TimeSeries, FieldConfig as TimeSeriesField } from '@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import type { Options as Stat } from '@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { Options as Table, FieldConfig as TableField } from '@grafana/schema/dist/types/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';

export interface Checked {
  dashboard: Dashboard;
  panel: Panel;
  row: RowPanel;
  timeseries: TimeSeries;
  timeseriesField: TimeSeriesField;
  stat: Stat;
  table: Table;
  tableField: TableField;
}
