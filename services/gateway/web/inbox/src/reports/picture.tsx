// A report's picture. The table below it says the same in figures.

import { BarChart } from "@mantine/charts";
import { useTranslation } from "react-i18next";
import type { Grouping } from "./period.ts";
import type { Bar } from "./rows.ts";

interface ReportPictureProps {
  bars: readonly Bar[];
  grouping: Grouping;
  /** What a bar is called. */
  nameOf(group: string): string;
}

export function ReportPicture({ bars, grouping, nameOf }: ReportPictureProps) {
  const { t } = useTranslation("reports");
  const isByOffer = grouping === "agent" || grouping === "team";
  return (
    <div aria-hidden>
      <BarChart
        h={300}
        data={bars.map((each) => ({ ...each, name: nameOf(each.group) }))}
        dataKey="name"
        withLegend
        legendProps={{ verticalAlign: "bottom" }}
        series={
          isByOffer
            ? [
                { name: "offered", label: t("columns.offered"), color: "gray.5" },
                { name: "accepted", label: t("columns.accepted"), color: "calm.6" },
                { name: "missed", label: t("columns.missed"), color: "red.6" },
              ]
            : [
                { name: "requested", label: t("columns.requested"), color: "gray.5" },
                { name: "accepted", label: t("columns.accepted"), color: "calm.6" },
                { name: "fell_back", label: t("columns.fell_back"), color: "ring.5" },
              ]
        }
        yAxisProps={{ allowDecimals: false, width: 40 }}
        xAxisProps={{ minTickGap: 24 }}
        barProps={{ isAnimationActive: false, maxBarSize: 40 }}
        barChartProps={{ accessibilityLayer: false }}
      />
    </div>
  );
}
