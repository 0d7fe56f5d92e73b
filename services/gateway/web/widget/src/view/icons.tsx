// The widget's pictures, drawn with lines.

function icon(path: string, isFilled = false) {
  return () => (
    <svg
      viewBox="0 0 24 24"
      aria-hidden="true"
      fill={isFilled ? "currentColor" : "none"}
      stroke={isFilled ? "none" : "currentColor"}
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      <path d={path} />
    </svg>
  );
}

export const ChatIcon = icon(
  "M20.5 12a8 8 0 0 1-8.3 8 8.7 8.7 0 0 1-3.6-.8L4 20.5l1.2-4A7.7 7.7 0 0 1 3.9 12a8.2 8.2 0 0 1 8.3-8 8.2 8.2 0 0 1 8.3 8Z",
);
export const CloseIcon = icon("M6 6l12 12M18 6 6 18");
export const DownIcon = icon("M6 9l6 6 6-6");
export const MoreIcon = icon(
  "M3 12a2 2 0 1 0 4 0 2 2 0 1 0-4 0m7 0a2 2 0 1 0 4 0 2 2 0 1 0-4 0m7 0a2 2 0 1 0 4 0 2 2 0 1 0-4 0",
  true,
);
export const SendIcon = icon("M12 19V5M6 11l6-6 6 6");
export const StarIcon = icon(
  "M12 2.8l2.8 5.8 6.4.9-4.6 4.5 1.1 6.3-5.7-3-5.7 3 1.1-6.3L2.8 9.5l6.4-.9Z",
  true,
);
