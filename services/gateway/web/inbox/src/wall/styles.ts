// Mantine's styles of what only the wall uses. See `app/styles.ts`.

import "../app/more_styles.ts";
import "@mantine/core/styles/ColorSwatch.layer.css";
import "@mantine/core/styles/Progress.layer.css";
import "@mantine/charts/styles.layer.css";
