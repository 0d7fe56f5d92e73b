// The last minutes as a picture. The figures beside it say the same in words.

import { CompositeChart } from "@mantine/charts";
import { useTranslation } from "react-i18next";
import type { Point } from "./figures.ts";

export function WallPicture({ points }: { points: readonly Point[] }) {
  const { t, i18n } = useTranslation("wall");
  const time = new Intl.DateTimeFormat(i18n.language, { timeStyle: "short" });
  return (
    <div aria-hidden>
      <CompositeChart
        h={240}
        data={points.map(({ at, ...rest }) => ({ time: time.format(at), ...rest }))}
        dataKey="time"
        withLegend
        withTooltip={false}
        legendProps={{ verticalAlign: "bottom" }}
        series={[
          { name: "requested", label: t("requested"), color: "gray.5", type: "bar" },
          { name: "accepted", label: t("accepted"), color: "calm.6", type: "bar" },
          { name: "queue", label: t("queue"), color: "ring.5", type: "line" },
        ]}
        withDots={false}
        yAxisProps={{ allowDecimals: false, width: 32 }}
        xAxisProps={{ interval: 5 }}
        composedChartProps={{ accessibilityLayer: false }}
        lineProps={{ isAnimationActive: false }}
        barProps={{ isAnimationActive: false }}
      />
    </div>
  );
}
