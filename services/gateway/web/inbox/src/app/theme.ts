// How the pages look: quiet greys and one calm colour; the warm one is for what rings.

import { createTheme, type MantineColorsTuple, Modal } from "@mantine/core";

const calm: MantineColorsTuple = [
  "#e9f8f6",
  "#d5eeea",
  "#a9dcd4",
  "#79c9be",
  "#53b9ab",
  "#2f9e90",
  "#1a877a",
  "#0f766e",
  "#0b5f59",
  "#064a45",
];

const ring: MantineColorsTuple = [
  "#fff4e2",
  "#ffe8cc",
  "#fdd09c",
  "#fbb666",
  "#f9a03a",
  "#f7921e",
  "#e07b0c",
  "#b45309",
  "#92400e",
  "#783108",
];

export const theme = createTheme({
  primaryColor: "calm",
  // Dark enough for white text on it, and for itself on white: 4.5 to 1 and more. The same in the dark:
  // what stands on it is white in both schemes.
  primaryShade: 7,
  autoContrast: true,
  colors: { calm, ring },
  defaultRadius: "md",
  cursorType: "pointer",
  focusRing: "auto",
  respectReducedMotion: true,
  components: {
    // The head of a dialog is no second head of the page.
    Modal: Modal.extend({ defaultProps: { attributes: { header: { role: "presentation" } } } }),
  },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
});
