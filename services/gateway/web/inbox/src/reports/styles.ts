// Mantine's styles of what only the reports use. See `app/styles.ts`.

import "../app/more_styles.ts";
import "@mantine/core/styles/ColorSwatch.layer.css";
import "@mantine/core/styles/FloatingIndicator.layer.css";
import "@mantine/core/styles/Table.layer.css";
import "@mantine/core/styles/SimpleGrid.layer.css";
import "@mantine/charts/styles.layer.css";
