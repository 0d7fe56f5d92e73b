// Where notices are shown, loaded once the page is there.

import { Notifications } from "@mantine/notifications";
import "@mantine/core/styles/Notification.layer.css";
import "@mantine/notifications/styles.layer.css";

/** Notices of all areas. */
export default function Notices() {
  return <Notifications position="bottom-right" limit={4} />;
}
