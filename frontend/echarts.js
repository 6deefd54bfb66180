// The parts of ECharts that the pages draw with; whatever is not named here is not shipped.
export { init, use } from "echarts/core";
import { use } from "echarts/core";
import { BarChart, CustomChart, LineChart, ScatterChart } from "echarts/charts";
import {
  AriaComponent, DatasetComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent,
} from "echarts/components";
import { CanvasRenderer } from "echarts/renderers"; // SVG would write style attributes, which our policy forbids

use([
  AriaComponent, BarChart, CanvasRenderer, CustomChart, DatasetComponent, GridComponent, LegendComponent, LineChart,
  MarkLineComponent, ScatterChart, TooltipComponent,
]);
